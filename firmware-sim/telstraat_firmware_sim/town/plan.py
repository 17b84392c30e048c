"""What is drawn by hand of Overbeke: its counted streets with what they are for, its other main roads, water, parks, places.

Metres east and north of the middle of the market. A junction is a point that two lines have in common.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from telstraat_firmware_sim.town.curves import Metres


@dataclass(frozen=True)
class PlannedStreet:
    """A street as it is drawn: from A to B through some points."""

    name: str
    points: tuple[Metres, ...]
    highway: str = "residential"
    limit_kmh: int = 30
    kind: str = "residential"
    """What its week looks like (`STREET_KINDS`)."""
    per_hour: Mapping[str, float] = field(default_factory=dict)
    """Who passes in a mean daylight hour, by class; what is not given is the kind's."""
    speed_kmh: float = 29.0
    is_one_way: bool = False
    into_town: float = 0.0
    """How much more of the morning goes from A to B, and of the evening back."""
    bridge: tuple[int, int] | None = None
    """From which to which of its points it is a bridge."""
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PlannedArea:
    """A part of the ground."""

    tags: Mapping[str, str]
    points: tuple[Metres, ...]
    holes: tuple[tuple[Metres, ...], ...] = ()
    is_smooth: bool = True


WEST, NORTH_WEST, NORTH, NORTH_EAST, EAST = (-755, 50), (-560, 470), (10, 690), (560, 480), (745, 150)
QUAY_WEST, QUAY_EAST, SOUTH, SOUTH_WEST = (-700, -215), (735, -190), (-80, -800), (-520, -610)
GATE, CHAPEL, LIME, BEND, FOOT, PLACE = (-40, 420), (430, 110), (-450, 60), (-230, 110), (-40, -165), (-110, -360)

COUNTED: Final = (
    PlannedStreet(
        "Westring", (QUAY_WEST, (-760, -80), WEST, (-700, 280), NORTH_WEST), "secondary", 50, "through",
        {"car": 430.0, "heavy": 46.0, "bike": 40.0, "pedestrian": 10.0}, 46.0,
    ),
    PlannedStreet(
        "Noordring", (NORTH_WEST, (-300, 635), NORTH, (300, 640), NORTH_EAST), "secondary", 50, "through",
        {"car": 560.0, "heavy": 64.0, "bike": 44.0, "pedestrian": 12.0}, 48.0,
    ),
    PlannedStreet(
        "Oostring", (NORTH_EAST, (690, 330), EAST, (770, -20), QUAY_EAST), "secondary", 50, "through",
        {"car": 510.0, "heavy": 58.0, "bike": 48.0, "pedestrian": 12.0}, 47.0,
    ),
    PlannedStreet(
        "Zuidring",
        (QUAY_EAST, (722, -290), (705, -400), (670, -530), (600, -625), (430, -735), (200, -795), SOUTH, (-320, -745), SOUTH_WEST),
        "secondary", 50, "through", {"car": 470.0, "heavy": 55.0, "bike": 52.0, "pedestrian": 11.0}, 49.0, bridge=(1, 2),
    ),
    PlannedStreet(
        "Molenrodesteenweg", ((-1700, 350), (-1450, 265), (-1180, 235), (-950, 120), WEST), "tertiary", 50, "through",
        {"car": 310.0, "heavy": 34.0, "bike": 62.0, "pedestrian": 8.0}, 51.0, into_town=0.22,
    ),
    PlannedStreet(
        "Lindekerkesteenweg", ((1720, 430), (1480, 380), (1250, 290), (980, 185), EAST), "tertiary", 50, "through",
        {"car": 280.0, "heavy": 27.0, "bike": 71.0, "pedestrian": 9.0}, 50.0, into_town=0.2,
    ),
    PlannedStreet(
        "Kasteelbruggelaan", ((170, 1500), (150, 1270), (95, 1050), (30, 850), NORTH), "tertiary", 50, "through",
        {"car": 235.0, "heavy": 18.0, "bike": 95.0, "pedestrian": 16.0}, 46.0, into_town=0.24,
    ),
    PlannedStreet(
        "Kerkstraat", ((-25, 132), (-62, 260), GATE, (0, 560), NORTH), "residential", 30, "shopping",
        {"pedestrian": 185.0, "bike": 110.0, "car": 62.0, "heavy": 11.0}, 23.0,
    ),
    PlannedStreet(
        "Brugstraat", ((12, 53), (8, -60), FOOT, (-62, -235), PLACE), "tertiary", 30, "shopping",
        {"pedestrian": 165.0, "bike": 205.0, "car": 215.0, "heavy": 15.0}, 27.0, bridge=(2, 3),
    ),
    PlannedStreet(
        "Stationsstraat", (PLACE, (-125, -500), (-95, -660), SOUTH), "tertiary", 30, "through",
        {"pedestrian": 92.0, "bike": 118.0, "car": 228.0, "heavy": 19.0}, 32.0, into_town=-0.12,
    ),
    PlannedStreet(
        "Molenstraat", (WEST, (-610, 70), LIME, BEND, (-42, 95)), "residential", 30, "residential",
        {"pedestrian": 34.0, "bike": 66.0, "car": 148.0, "heavy": 9.0}, 33.0, into_town=0.16,
    ),
    PlannedStreet(
        "Kapelstraat", (EAST, (600, 150), CHAPEL, (260, 128), (82, 95)), "residential", 30, "residential",
        {"pedestrian": 30.0, "bike": 72.0, "car": 172.0, "heavy": 10.0}, 34.5, into_town=0.18,
    ),
    PlannedStreet(
        "Vaartkaai", (QUAY_WEST, (-520, -252), (-330, -238), FOOT), "residential", 30, "cycle-route",
        {"pedestrian": 38.0, "bike": 142.0, "car": 13.0, "heavy": 1.0}, 25.0, tags={"cyclestreet": "yes"},
    ),
    PlannedStreet(
        "Havenkaai", (FOOT, (80, -160), (250, -172), (500, -258), (640, -262), QUAY_EAST), "residential", 30, "cycle-route",
        {"pedestrian": 30.0, "bike": 118.0, "car": 24.0, "heavy": 2.0}, 27.0, tags={"cyclestreet": "yes"},
    ),
    PlannedStreet(
        "Schoolstraat", (PLACE, (-240, -400), (-370, -420), (-470, -500), SOUTH_WEST), "residential", 30, "school",
        {"pedestrian": 46.0, "bike": 64.0, "car": 98.0, "heavy": 4.0}, 32.5, into_town=-0.1,
    ),
    PlannedStreet(
        "Parklaan", (GATE, (120, 432), (270, 470), (420, 500), NORTH_EAST), "residential", 30, "residential",
        {"pedestrian": 26.0, "bike": 48.0, "car": 74.0, "heavy": 4.0}, 31.0,
    ),
    PlannedStreet(
        "Lindenlaan", (LIME, (-445, 200), (-350, 340), (-200, 405), GATE), "residential", 30, "residential",
        {"pedestrian": 15.0, "bike": 31.0, "car": 49.0, "heavy": 3.0}, 30.0,
    ),
    PlannedStreet(
        "Bakkersstraat", ((85, 120), (150, 205), (90, 300), (-52, 330)), "living_street", 20, "shopping",
        {"pedestrian": 120.0, "bike": 58.0, "car": 31.0, "heavy": 7.0}, 18.0, is_one_way=True,
    ),
    PlannedStreet(
        "Kerksteeg", ((76, 62), (150, 10), (148, -80), (80, -160)), "pedestrian", 20, "shopping",
        {"pedestrian": 96.0, "bike": 44.0, "car": 3.0, "heavy": 1.0}, 14.0,
    ),
    PlannedStreet(
        "Tuinlaan", (CHAPEL, (452, 0), (520, -85), (640, -120), (768, -60)), "residential", 30, "residential",
        {"pedestrian": 11.0, "bike": 22.0, "car": 26.0, "heavy": 2.0}, 28.0,
    ),
    PlannedStreet(
        "Veldstraat", ((-950, 120), (-985, 290), (-900, 470), (-720, 555), NORTH_WEST), "unclassified", 50, "residential",
        {"pedestrian": 6.0, "bike": 28.0, "car": 132.0, "heavy": 8.0}, 54.0, into_town=0.14,
    ),
    PlannedStreet(
        "Zandstraat", (PLACE, (80, -365), (260, -415), (430, -495), (600, -625)), "residential", 30, "residential",
        {"pedestrian": 18.0, "bike": 43.0, "car": 121.0, "heavy": 7.0}, 35.0,
    ),
    PlannedStreet(
        "Beekpad", ((-1350, -260), (-1000, -365), (-650, -405), (-330, -335), (-85, -300)), "cycleway", 25, "cycle-route",
        {"pedestrian": 41.0, "bike": 96.0, "car": 0.0, "heavy": 0.0}, 20.0,
    ),
    PlannedStreet(
        "Hofstraat", ((-62, 260), (-175, 255), (-250, 195), BEND), "residential", 30, "residential",
        {"pedestrian": 22.0, "bike": 29.0, "car": 27.0, "heavy": 2.0}, 25.0, is_one_way=True,
    ),
)  # fmt: skip
"""The streets that neighbours count. A to B is the order of the points."""

OTHERS: Final = (
    PlannedStreet("Smidsstraat", (BEND, (-205, 0), (-185, -110), (-170, -205)), "living_street", 20),
    PlannedStreet("Eikendreef", (NORTH_EAST, (705, 610), (750, 790), (600, 950), (360, 985), (95, 1050))),
    PlannedStreet("Dorpsstraat", ((1250, 290), (1228, 130), (1150, -20), (1165, -140))),
    PlannedStreet("Havenstraat", (SOUTH_WEST, (-740, -570), (-980, -500), (-1250, -470)), "unclassified", 50),
    PlannedStreet("Eikendorpseweg", ((-1700, -900), (-1250, -760), (-850, -700), SOUTH_WEST), "tertiary", 70),
    PlannedStreet("Waterveldestraat", (SOUTH_WEST, (-700, -690), (-760, -840), (-700, -960), (-640, -1130)), "unclassified", 50),
    PlannedStreet("Zuidlaan", ((200, -795), (330, -900), (350, -1040), (300, -1200)), "unclassified", 50),
    PlannedStreet("Rozenlaan", ((705, -470), (880, -500), (1020, -440), (1180, -430))),
    PlannedStreet("Stationsplein", (SOUTH, (-70, -868), (-200, -868)), "residential", 20),
    PlannedStreet("Kouter", ((-300, 635), (-330, 800), (-240, 960), (-80, 1010), (95, 1050))),
    PlannedStreet("Bosweg", ((-900, 470), (-930, 640), (-840, 830), (-640, 960), (-330, 800)), "unclassified", 50),
)  # fmt: skip
"""Main roads that nobody counts; side streets are drawn by the seed."""

RIVER: Final[tuple[Metres, ...]] = (
    (-1750, -120), (-1350, -215), (-1000, -318), (-650, -345), (-330, -288), (-60, -212), (230, -222), (520, -318),
    (780, -345), (1080, -250), (1350, -150), (1780, -110),
)  # fmt: skip
RIVER_NAME: Final = "Wende"
RIVER_HALF_M: Final = (14.0, 19.0)
"""Half its width upstream and downstream."""

RAIL: Final[tuple[Metres, ...]] = (
    (-1750, -1180), (-1200, -1060), (-600, -955), (-80, -920), (420, -945), (1000, -1010), (1780, -1130),
)  # fmt: skip

POND: Final[tuple[Metres, ...]] = ((330, 290), (400, 262), (490, 285), (520, 345), (450, 385), (360, 365))
ISLAND: Final[tuple[Metres, ...]] = ((425, 318), (458, 312), (470, 335), (440, 348))

AREAS: Final = (
    PlannedArea(
        {"leisure": "park", "name": "Stadspark"},
        ((175, 185), (330, 172), (470, 180), (630, 225), (652, 320), (565, 430), (430, 458), (270, 428), (172, 390), (150, 285)),
    ),
    PlannedArea({"leisure": "park", "name": "Molenpark"}, ((-640, -60), (-560, -150), (-420, -190), (-300, -185), (-270, -90), (-380, -30), (-520, -10))),
    PlannedArea({"natural": "water", "water": "pond", "name": "Parkvijver"}, POND, (ISLAND,)),
    PlannedArea({"landuse": "forest", "name": "Kasteelbos"}, ((740, 830), (800, 640), (1010, 560), (1300, 700), (1420, 960), (1250, 1220), (900, 1250), (720, 1050))),
    PlannedArea({"landuse": "meadow", "name": "Wendebeemden"}, ((800, -290), (1000, -205), (1250, -120), (1600, -40), (1650, 60), (1330, 30), (1000, -60), (830, -140))),
    PlannedArea({"landuse": "meadow"}, ((-1700, -190), (-1350, -265), (-1020, -375), (-1040, -455), (-1330, -430), (-1690, -330))),
    PlannedArea({"natural": "wood"}, ((-1380, 640), (-1180, 560), (-1050, 700), (-1080, 900), (-1300, 960), (-1460, 820))),
    PlannedArea({"landuse": "allotments"}, ((-900, 250), (-830, 330), (-790, 430), (-860, 420), (-930, 350)), is_smooth=False),
    PlannedArea({"landuse": "cemetery", "name": "Oud kerkhof"}, ((-230, 700), (-120, 735), (-140, 850), (-260, 815)), is_smooth=False),
    PlannedArea({"leisure": "pitch"}, ((880, -130), (990, -95), (1020, -175), (910, -212)), is_smooth=False),
    PlannedArea({"amenity": "school", "name": "De Klaproos"}, ((-350, -445), (-215, -418), (-196, -540), (-245, -590), (-352, -570)), is_smooth=False),
    PlannedArea({"leisure": "pitch"}, ((-335, -500), (-280, -488), (-268, -545), (-322, -558)), is_smooth=False),
    PlannedArea({"highway": "pedestrian", "area": "yes", "name": "Grote Markt"}, ((-46, 58), (78, 50), (88, 124), (-28, 136)), is_smooth=False),
    PlannedArea({"place": "square", "name": "Brugplein"}, ((-145, -345), (-85, -340), (-78, -382), (-140, -390)), is_smooth=False),
)  # fmt: skip

PATHS: Final = (
    ((150, 285), (260, 240), (400, 225), (560, 270), (652, 320)),
    ((172, 390), (290, 330), (300, 265), (330, 172)),
    ((430, 458), (545, 380), (560, 270), (600, 150)),
    ((-640, -60), (-500, -80), (-380, -110), (-270, -90)),
    ((-500, -80), (-470, -180), (-460, -250)),
    ((800, -290), (1000, -230), (1250, -135), (1600, -75)),
    ((740, 1000), (900, 900), (1010, 720), (800, 640)),
    ((900, 900), (1100, 1000), (1250, 1220)),
    ((-85, -300), (120, -262), (300, -285), (520, -375), (705, -400)),
    ((-1700, -250), (-1350, -260)),
)  # fmt: skip
"""Foot and cycle paths without a name."""
LIMITS: Final[tuple[Metres, ...]] = (
    (-1060, -540), (-1150, -120), (-1230, 380), (-1000, 700), (-520, 1040), (100, 1150), (640, 1060), (860, 560), (1290, 500),
    (1370, 120), (1230, -190), (1200, -540), (780, -820), (330, -885), (-420, -900), (-820, -860),
)  # fmt: skip
"""Where the town ends: side streets stay within."""
