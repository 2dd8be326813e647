"""Little stories, in the past. A story is a whole one, or an opening, some events and an ending. Slots: scene.py."""

OPENINGS = [
    "there was once a {person} named {person.name}. {person.name} lived in a [small|big|old] house by the {place}.",
    "once there was a {person} who had a {color} {thing}. The {person} loved {person.his} {thing} very much.",
    "one day a {person} went to the {place}. The {person}'s name was {person.name}.",
    "once upon a time there lived a {person} with a {animal}. The {animal} was {person.his} best friend.",
    "{person.name} was a {person}. {person.name} was [happy|sad|tired|hungry] that day.",
    "it was a {season.is} day in {season}. The {person} was {place.at} the {place}.",
    "the {person} got up in the morning and put on {person.his} {color} hat.",
    "long ago a {royal} lived in a big castle. The {royal}'s name was {royal.name}, and {royal.he} had a friend, a {person}.",
    "long ago a {ruler} ruled the land. One day a {person} came to the castle.",
]

EVENTS = [
    "[{person.he}|the {person}] went to the {place2} and saw a {animal}.",
    "the {person} saw a {animal2} {place3.at} the {place3}. The {animal2} was [hungry|cold|sad|tired].",
    "{person.he} met a {person2} there. The {person2} gave {person.him} a {food}.",
    "the {person} gave {person.his} {food} to a {person2}. The {person2} thanked {person.him}.",
    "then [{person.he}|the {person}] found a {color2} {thing2} under a [tree|stone|bridge].",
    "the {person} lost {person.his} {thing3}. {person.he} looked for it {place.at} the {place}, but it was not there.",
    "a {animal3} ran after the {person}, but {person.he} was faster and got away.",
    "the {person} said, \"what a good day this is!\"",
    "the {person} asked a {person2}, \"where is my {thing3}?\" The {person2} said, \"it is {place4.at} the {place4}.\"",
    "the {person2} said to the {person}, \"come with me to the {place4}.\" So they went to the {place4}.",
    "it began to rain, and [{person.he}|the {person}] ran to the {place5}.",
    "[{person.he}|the {person}] sat down under a tree and ate a {food2}.",
    "the {person} took the {animal4} home and gave it some [milk|bread|water].",
    "[{person.he}|the {person}] wanted to cross the river, but there was no bridge. So {person.he} took a boat.",
    "[{person.he}|the {person}] heard a {animal5} in the {place6}. {person.he} was not afraid.",
    "{person.his} friend was sad, so {person.he} sang a song for {person.his} friend.",
]

ENDINGS = [
    "in the evening {person.he} went home and slept.",
    "so the {person} was happy again.",
    "that night the {person} slept very well.",
    "and the {person} never forgot that day.",
    "then the {person} went home and told {person.his} [father|mother|friend] all about it.",
    "from that day on they were friends.",
    "when the moon was up, the {person} was home again.",
    "at last the {person} came home, tired but happy.",
]

WHOLE = [
    "a {young} lost {young.his} {color} {thing}. {young.he} looked for it {place.at} the {place}, but it was not there. "
    "{young.he} looked for it {place2.at} the {place2}, and there it was! "
    "The {young} took {young.his} {thing} and went home, happy.",
    "the {ruler} had a son and a daughter. The son was a prince and the daughter was a princess. "
    "The {ruler} was old. One day the {ruler} gave {ruler.his} crown to the {heir}. "
    "[Now the {heir} sat on the throne and ruled the land.|The {heir} sat down on the throne, and the people were happy.]",
    "a {ruler} sat on {ruler.his} throne. A {common} came to the castle and said, \"I am poor and hungry.\" "
    "The {ruler} gave the {common} bread and gold. The {common} thanked {ruler.him} and went home. "
    "The people said that the {ruler} was good.",
    "a {animal} was {place.at} the {place}. It was [cold|hungry|sad]. A {person} came by and saw the {animal}. "
    "{person.he} gave it some [bread|milk|water] and took it home. From that day on the {animal} was {person.his} friend.",
    "the {person} and the {person2} went to the {place}. The {person} had a {food} and the {person2} had a {food2}. "
    "They sat down under a tree and ate. Then they went home.",
    "the {small} and the {big} were friends. The {big} was strong and the {small} was fast. "
    "One day the {big} fell into a hole. The {small} ran to the {person} and called {person.him}. "
    "The {person} helped the {big} out of the hole. The {big} thanked the {small} and the {person}.",
    "a {small} sat on the road. A {big} came and said, \"go away, I am bigger than you.\" "
    "The {small} said, \"you are bigger, but I am faster.\" They ran to the {place}, and the {small} was first.",
    "a {ruler} had a golden {thing}. One night a [fox|man|woman|bird] took it. The {ruler} was very sad. "
    "A {common} found the {thing} {place.at} the {place} and brought it to the castle. "
    "The {ruler} was happy again and gave {common.him} a [horse|house|crown|ring].",
    "a {common} loved a {heir}. The {heir} lived in the castle and the {common} lived in a small house. "
    "Every day the {common} brought {heir.him} a flower. In the end the {heir} loved {common.him} too, and they were happy.",
    "the {young} was afraid of the night. {young.his} [father|mother|grandfather|grandmother] said, "
    "\"look, the moon is up.\" The {young} looked at the moon and was not afraid any more. Then {young.he} slept.",
    "the {parent} called the children. The {parent} said, \"come home, it is late.\" "
    "The boy and the girl came home from the {place}. They ate bread and drank milk. Then they slept.",
    "in {season} the {person} went to the {place}. It was {season.is}, and {person.he} was happy. "
    "{person.he} found a {thing} and gave it to {person.his} [brother|sister|mother|father].",
    "there was a {adult} who worked in the field. A {ruler} rode by and asked {adult.him}, \"are you happy?\" "
    "The {adult} said, \"I have bread, a house and a friend. I am happy.\" "
    "Then the {ruler} said, \"you are richer than I am.\"",
    "a {young} saw {some} {thing.many} {place.at} the {place}. {young.he} took {more} of them home. "
    "{left} were left.",
    "the {person} had {some} {food.many}. The {person2} gave {person.him} {more} more. "
    "Now the {person} had {both} {food.many}, and {person.he} was happy.",
    "the {elder} sat by the fire and told the children a story. It was about a {ruler} and a {animal}. "
    "The {animal} could talk, and it told the {ruler} where the gold was. The children liked the story very much.",
    "the prince and the princess went to the {place}. The prince wanted to find gold. The princess wanted to see a {animal}. "
    "They saw the {animal}, but they found no gold. The {heir} said, \"it was a good day.\"",
    "a {animal} came to the {place} every night and ate the {food.many}. The {adult} was angry. "
    "The {child} said, \"it is hungry. Let us give it some {animal.eats}.\" "
    "They gave it some {animal.eats}, and it never ate the {food.many} again.",
]
