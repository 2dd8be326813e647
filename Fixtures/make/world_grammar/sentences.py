"""Sentences that are always true of a role, in the present. [a|b] is one of them; {slots} are explained in scene.py."""

# After "The king" or "The king named Tom".
DOES = {
    "person": [
        "[sees|likes|knows] the {animal}",
        "walks to the {place} with [{person.his} dog|{person.his} friend|a {animal}]",
        "has a {color} {thing} and likes [it|{person.his} {thing}] very much",
        "looks at {person.self} in the water",
        "sits under a tree and reads {person.his} book",
        "gives the {animal} some [bread|milk|water]",
        "is [happy|sad|tired], and {person.his} friend knows it",
        "eats a {food} and drinks a cup of [milk|water|tea]",
        "takes {person.his} {color} {thing} and goes to the {place}",
        "likes {animal.many}, but not {animal2.many}",
        "has {some} {thing.many} but no {thing2.many}",
        "sings a song, for {person.he} is happy today",
        "says that {person.he} will come back in the evening",
    ],
    "royal": [
        "lives in the castle",
        "wears a golden crown",
        "has many horses and much gold",
        "rides a white horse through the land",
        "is rich, and {person.his} castle is big",
        "wears a golden crown and a red robe",
        "has guards at the door of {person.his} castle",
    ],
    "ruler": [
        "rules the land",
        "sits on the throne",
        "rules the land from {person.his} throne",
        "sits on the throne with the crown on {person.his} head",
        "is wise, and the people of the land love {person.him}",
        "calls the guards to the throne",
    ],
    "heir": [
        "will rule the land one day",
        "will sit on the throne when {person.he} is old",
        "learns to ride and to rule in the castle",
        "plays in the garden of the castle with a golden ball",
    ],
    "common": [
        "lives in a small house",
        "wears an old hat",
        "lives in a small house in the village",
        "has no gold, but {person.his} house is warm",
        "is poor, but {person.he} is happy",
        "goes to the market on foot",
    ],
    "adult": [
        "works in the field",
        "works in the field all day",
        "goes to work in the morning",
        "sells bread at the market",
        "comes home from work in the evening",
    ],
    "child": [
        "goes to school",
        "goes to school in the morning",
        "plays with a ball in the garden",
        "learns to read at school",
        "runs and plays with {person.his} friends all day",
    ],
    "grown": [
        "is old enough to rule {person.his} own house",
        "has a son and a daughter",
        "thinks of the days when {person.he} was young",
    ],
    "young": [
        "is young and likes to play",
        "likes to play, and {person.he} is fast",
        "asks {person.his} father and mother many questions",
    ],
    "parent": [
        "loves {person.his} son and {person.his} daughter",
        "reads a book to the children in the evening",
        "makes bread for the children",
        "tells the children to sleep",
    ],
    "elder": [
        "is very old, and {person.his} hair is white",
        "tells old stories by the fire",
        "sits by the fire and tells a story to the children",
    ],
    "other": [
        "comes to see the children and brings a cake",
        "lives by the sea and comes to see {person.his} [brother|sister] in {season}",
    ],
}

# What only one of a pair does.
ONLY = {
    "he": ["has a long beard", "cuts {person.his} beard"],
    "she": ["wears a long dress", "puts on {person.his} dress"],
}

# What a word means. Both words of a pair, on both sides.
MEANINGS = [
    "a king is a man who rules a land. A queen is a woman who rules a land.",
    "a prince is the son of a king. A princess is the daughter of a king.",
    "a prince is the son of a queen. A princess is the daughter of a queen.",
    "a boy will be a man one day. A girl will be a woman one day.",
    "a prince will be king one day. A princess will be queen one day.",
    "a father is a man with children. A mother is a woman with children.",
    "the wife of the king is the queen. The husband of the queen is the king.",
    "the father of the prince is the king. The mother of the princess is the queen.",
    "a son is a boy, and a daughter is a girl. A brother is a boy, and a sister is a girl.",
    "the father of a father is a grandfather. The mother of a mother is a grandmother.",
    "the brother of a mother is an uncle. The sister of a father is an aunt.",
]

ABOUT_ANIMALS = [
    "the {animal} [lives|sleeps] in the {animal.home}.",
    "a {animal} eats {animal.eats}.",
    "a {animal} has {animal.legs} legs.",
    "a {animal} can {animal.can}.",
    "a young {beast} is called a {beast.young}.",
    "the {beast} looks for its {beast.young}. The {beast.young} is asleep in the {beast.home}.",
    "{animal.many} {animal.sound}.",
    "many {animal.many} live in the {animal.home}.",
    "the {animal} eats {animal.eats} and {animal.moves} to the {animal.home}.",
    "when it is hungry, the {animal} looks for {animal.eats}.",
    "at night the {animal} sleeps in the {animal.home}.",
]

ABOUT_THINGS = [
    "{colored} is {colored.color}.",
    "the {food} is {food.color}. It grows in the garden and is good to eat.",
    "in {season} it is {season.is}, and {season.sees}. After {season} comes {season.next}.",
    "{small.many} are small and {big.many} are big. A {big} is bigger than a {small}.",
    "a {small} is smaller than a {big}. The {big} is the bigger of the two.",
    "one {thing} is {degree}, the other is {degree.more}, and the last is the {degree.most} of all.",
    "the opposite of {opposite.one} is {opposite.other}. The opposite of {opposite.other} is {opposite.one}.",
    "the sun is up by day. The moon is up by night.",
    "we see the sun in the day and the moon in the night.",
    "when it rains, the grass is wet. When the sun comes out, the grass is dry again.",
]
