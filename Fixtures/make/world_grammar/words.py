"""Who and what there is. Every table has a header; its cells are two or more spaces apart."""

from __future__ import annotations

import re

Row = dict[str, str]


def table(text: str) -> list[Row]:
    header, *rows = [re.split(r"\s{2,}", line.strip()) for line in text.strip().splitlines()]
    return [dict(zip(header, row, strict=True)) for row in rows]


# Each row of people is one word twice, for him and for her. Both are drawn equally often and have the same sentences, but for the
# pronoun, the name and `ONLY` in sentences.py: so king is to man as queen is to woman.
PAIRS = table("""
    kind     he           she
    adult    man          woman
    child    boy          girl
    ruler    king         queen
    heir     prince       princess
    parent   father       mother
    elder    grandfather  grandmother
    sibling  brother      sister
    other    uncle        aunt
""")
PRONOUNS = {
    "he": {"he": "he", "his": "his", "him": "him", "self": "himself"},
    "she": {"he": "she", "his": "her", "him": "her", "self": "herself"},
}
NAMES = {
    "he": "Tom Ben Sam Max Leo Paul".split(),
    "she": "Anna Mia Ella Rosa Lily Nora".split(),
}

# What a slot named {person}, {royal} … may be, by kind of PAIRS.
ROLES = {
    "person": "adult child ruler heir parent elder other".split(),
    "royal": "ruler heir".split(),
    "ruler": ["ruler"],
    "heir": ["heir"],
    "common": "adult child".split(),
    "adult": ["adult"],
    "child": ["child"],
    "grown": "adult ruler".split(),
    "young": "child heir".split(),
    "parent": ["parent"],
    "elder": ["elder"],
    "other": ["other"],
}

# `-` where there is no word of its own: no {beast} is drawn from such a row.
ANIMALS = table("""
    word    many    young   sound   home    eats     legs  moves  can
    dog     dogs    puppy   bark    house   meat     four  runs   run
    cat     cats    kitten  meow    house   fish     four  jumps  jump
    cow     cows    calf    moo     barn    grass    four  walks  walk
    horse   horses  foal    neigh   barn    grass    four  runs   run
    sheep   sheep   lamb    bleat   field   grass    four  walks  walk
    duck    ducks   chick   quack   lake    bread    two   swims  swim
    hen     hens    chick   cluck   barn    corn     two   walks  walk
    bird    birds   chick   sing    tree    corn     two   flies  fly
    owl     owls    chick   hoot    tree    mice     two   flies  fly
    bear    bears   cub     growl   cave    honey    four  walks  walk
    lion    lions   cub     roar    cave    meat     four  runs   run
    fox     foxes   cub     bark    forest  hens     four  runs   run
    wolf    wolves  cub     howl    forest  meat     four  runs   run
    frog    frogs   -       croak   lake    bees     four  jumps  jump
    mouse   mice    -       squeak  field   corn     four  runs   run
    bee     bees    -       hum     garden  honey    six   flies  fly
""")

# From small to big, for comparisons.
BY_SIZE = "bee mouse frog bird hen cat fox dog sheep wolf lion cow horse bear".split()

PLACES = table("""
    word      at
    forest    in
    garden    in
    field     in
    village   in
    castle    in
    kitchen   in
    barn      in
    market    at
    school    at
    river     by
    lake      by
    sea       by
    hill      on
    bridge    on
    road      on
""")

FOODS = table("""
    word    many      color
    apple   apples    red
    pear    pears     green
    plum    plums     blue
    egg     eggs      white
    cake    cakes     brown
    nut     nuts      brown
    berry   berries   red
    lemon   lemons    yellow
""")

THINGS = table("""
    word    many
    ball    balls
    book    books
    hat     hats
    key     keys
    lamp    lamps
    cup     cups
    coin    coins
    flower  flowers
    stone   stones
    boat    boats
    ring    rings
    bell    bells
""")

COLORS = "red blue green yellow white black brown".split()

# What has one color, always.
COLORED = table("""
    word       color
    the sky    blue
    the sea    blue
    grass      green
    snow       white
    milk       white
    the sun    yellow
    corn       yellow
    the night  black
""")

OPPOSITES = table("""
    one     other
    big     small
    old     young
    hot     cold
    happy   sad
    good    bad
    long    short
    fast    slow
    rich    poor
    day     night
    up      down
    black   white
    king    queen
    man     woman
    boy     girl
""")

# An adjective, and what more and most of it is called.
DEGREES = table("""
    word   more     most
    big    bigger   biggest
    small  smaller  smallest
    old    older    oldest
    young  younger  youngest
    fast   faster   fastest
    slow   slower   slowest
    long   longer   longest
    rich   richer   richest
    cold   colder   coldest
""")

SEASONS = table("""
    word    next    is    sees
    spring  summer  warm  the first flowers come out
    summer  autumn  hot   the sun is high and the corn is yellow
    autumn  winter  cool  the leaves fall from the trees
    winter  spring  cold  snow lies on the hills
""")

NUMBERS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
).split()
