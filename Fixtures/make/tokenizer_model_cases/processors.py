"""Post-processors, for one text and two, with and without special tokens."""
import json

from tokenizers import Tokenizer

BERT = {"type": "BertProcessing", "sep": ["[SEP]", 7], "cls": ["[CLS]", 8]}
ROBERTA = {"type": "RobertaProcessing", "sep": ["</s>", 5], "cls": ["<s>", 6], "trim_offsets": True, "add_prefix_space": False}
BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}


def sequence(id, type_id):
    return {"Sequence": {"id": id, "type_id": type_id}}


def special(id, type_id):
    return {"SpecialToken": {"id": id, "type_id": type_id}}


TEMPLATE = {
    "type": "TemplateProcessing",
    "single": [special("[CLS]", 2), sequence("A", 0), special("[X]", 3)],
    "pair": [special("[CLS]", 0), sequence("B", 4), special("[X]", 0), sequence("A", 1), sequence("B", 1)],
    "special_tokens": {
        "[CLS]": {"id": "[CLS]", "ids": [8], "tokens": ["[CLS]"]}, "[X]": {"id": "[X]", "ids": [5, 6], "tokens": ["a", "b"]}}}
SINGLE = {"type": "TemplateProcessing", "single": [sequence("A", 3)], "pair": [sequence("A", 1), sequence("B", 2)], "special_tokens": {}}
PROCESSORS = {
    "none": None, "bert": BERT, "roberta": ROBERTA, "byteLevel": BYTE_LEVEL, "template": TEMPLATE,
    "byteLevel, template": {"type": "Sequence", "processors": [BYTE_LEVEL, TEMPLATE]},
    "template, bert": {"type": "Sequence", "processors": [TEMPLATE, BERT]},
    "template, roberta": {"type": "Sequence", "processors": [TEMPLATE, ROBERTA]},
    "bert, template": {"type": "Sequence", "processors": [BERT, TEMPLATE]},
    "single, single": {"type": "Sequence", "processors": [SINGLE, SINGLE]},
}


def sets(rng, count):
    cases = []
    vocabulary = {word: id for id, word in enumerate(["[UNK]", "a", "b", "c", "d", "</s>", "<s>", "[SEP]", "[CLS]"])}
    for name, processor in PROCESSORS.items():
        tokenizer = Tokenizer.from_str(json.dumps({
            "version": "1.0", "added_tokens": [], "normalizer": None, "pre_tokenizer": {"type": "WhitespaceSplit"}, "decoder": None,
            "post_processor": processor, "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "[UNK]"}}))
        for first, second in (("", None), ("a b c", None), ("a", ""), ("", "d"), ("a b", "c d a")):
            for adds in (True, False):
                encoding = tokenizer.encode(first, second, add_special_tokens=adds)
                ids = lambda text: None if text is None else [vocabulary[word] for word in text.split()]
                cases.append({
                    "processor": name, "first": ids(first), "second": ids(second), "adds": adds, "ids": encoding.ids,
                    "typeIDs": encoding.type_ids, "added": tokenizer.num_special_tokens_to_add(second is not None)})
    yield "post-processors", {"cases": cases}
