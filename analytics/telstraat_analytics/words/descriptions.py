"""The words of a description of streets, in English, Dutch and French."""

from __future__ import annotations

DESCRIPTION_WORDS: dict[str, tuple[str, str, str]] = {
    "title.description": ("How streets are used", "Hoe straten worden gebruikt", "Comment les rues sont utilisées"),
    "title.counted": ("What was counted", "Wat is geteld", "Ce qui a été compté"),
    "title.beside": (
        "Streets beside each other: per hour in which all were seen",
        "Straten naast elkaar: per uur waarin ze allemaal zijn gezien",
        "Les rues côte à côte : par heure où toutes ont été vues",
    ),
    "title.not_comparable": ("What is not comparable", "Wat niet vergelijkbaar is", "Ce qui n'est pas comparable"),
    "title.through": (
        "Hints of through traffic: of 100 cars more at the first, so many more at the second in the same hour",
        "Aanwijzingen voor doorgaand verkeer: van 100 auto's meer bij de eerste, zoveel meer bij de tweede in hetzelfde uur",
        "Indices de trafic de transit : de 100 voitures de plus à la première, autant de plus à la seconde dans l'heure",
    ),
    "title.week": (
        "The typical week: cars per hour",
        "De gewone week: auto's per uur",
        "La semaine type : voitures par heure",
    ),
    "title.profile": ("A working day, hour by hour", "Een werkdag, per uur", "Un jour ouvré, heure par heure"),
    "title.split": ("Who passes", "Wie er langskomt", "Qui passe"),
    "title.peaks": (
        "The busiest hours of a working day: cars",
        "De drukste uren van een werkdag: auto's",
        "Les heures de pointe d'un jour ouvré : voitures",
    ),
    "title.speeds": ("How fast: cars", "Hoe snel: auto's", "À quelle vitesse : voitures"),
    "title.marks": (
        "How much of each month was counted",
        "Hoeveel van elke maand is geteld",
        "Part comptée de chaque mois",
    ),
    "describe.street": (
        "In {street}, {car} cars, {bike} bicycles and {pedestrian} people on foot pass on a working day, {hours} ({first} to {last}).",
        "In {street} passeren op een werkdag {car} auto's, {bike} fietsen en {pedestrian} voetgangers, {hours} ({first} tot {last}).",
        "Dans {street}, {car} voitures, {bike} vélos et {pedestrian} piétons passent un jour ouvré, {hours} (du {first} au {last}).",
    ),
    "describe.school_more": (
        "On school days, {hours}, car traffic in {street} is {size} more than on working days without school ({first} to {last}).",
        "Op schooldagen, {hours}, is het autoverkeer in {street} {size} meer dan op werkdagen zonder school ({first} tot {last}).",
        "Les jours d'école, {hours}, le trafic automobile dans {street} est de {size} de plus que les jours ouvrés sans école (du {first} au {last}).",
    ),
    "describe.school_less": (
        "On school days, {hours}, car traffic in {street} is {size} less than on working days without school ({first} to {last}).",
        "Op schooldagen, {hours}, is het autoverkeer in {street} {size} minder dan op werkdagen zonder school ({first} tot {last}).",
        "Les jours d'école, {hours}, le trafic automobile dans {street} est de {size} de moins que les jours ouvrés sans école (du {first} au {last}).",
    ),
    "describe.school_same": (
        "On school days, {hours}, car traffic in {street} is the same as on working days without school ({first} to {last}).",
        "Op schooldagen, {hours}, is het autoverkeer in {street} gelijk aan dat op werkdagen zonder school ({first} tot {last}).",
        "Les jours d'école, {hours}, le trafic automobile dans {street} est le même que les jours ouvrés sans école (du {first} au {last}).",
    ),
    "describe.speeding": (
        "In {street}, {hours} ({first} to {last}), {above} of the cars drive faster than {limit} km/h, {well_above} by 10 km/h or more; V85 is {v85} km/h.",
        "In {street}, {hours} ({first} tot {last}), rijdt {above} van de auto's sneller dan {limit} km/u, {well_above} met 10 km/u of meer; de V85 is {v85} km/u.",
        "Dans {street}, {hours} (du {first} au {last}), {above} des voitures roulent à plus de {limit} km/h, {well_above} de 10 km/h ou plus ; la V85 est de {v85} km/h.",
    ),
    "describe.reading": (
        (
            "These are counts as they came, corrected for the share of the hour that was observed. Whether a measure changed them is "
            "another question: telstraat evaluate."
        ),
        (
            "Dit zijn tellingen zoals ze kwamen, gecorrigeerd voor het deel van het uur dat is waargenomen. Of een maatregel ze heeft "
            "veranderd, is een andere vraag: telstraat evaluate."
        ),
        (
            "Ce sont les comptages tels quels, corrigés de la part de l'heure observée. Savoir si une mesure les a changés est une autre "
            "question : telstraat evaluate."
        ),
    ),
    "describe.hint": (
        (
            "A hint, no proof: a queue or an event next door moves both streets, too. What is common to the hour of the week and to the "
            "day has been taken out."
        ),
        (
            "Een aanwijzing, geen bewijs: een file of een evenement in de buurt beweegt ook beide straten. Wat het uur van de week en de "
            "dag gemeen hebben, is eruit gehaald."
        ),
        (
            "Un indice, pas une preuve : un bouchon ou un événement voisin fait aussi bouger les deux rues. Ce qui est commun à l'heure de "
            "la semaine et au jour a été retiré."
        ),
    ),
    "describe.large": (
        "“Large vehicles” are what looks large to the sensor, vans included: many more than lorries.",
        "“Grote voertuigen” zijn wat er voor de sensor groot uitziet, bestelwagens inbegrepen: veel meer dan vrachtwagens.",
        "Les « gros véhicules » sont ce qui paraît gros au capteur, camionnettes comprises : bien plus que des camions.",
    ),
    "describe.table_ends": (
        "The table of school holidays ends on {date}, before the days described do: after it holidays were taken for school days. Complete it.",
        "De tabel met schoolvakanties eindigt op {date}, voor de beschreven dagen: daarna zijn vakanties voor schooldagen gehouden. Vul ze aan.",
        "Le tableau des vacances scolaires s'arrête au {date}, avant les jours décrits : au-delà, des vacances ont été prises pour des jours d'école. Complétez-le.",
    ),
    "describe.table_begins": (
        "The table of school holidays begins on {date}, after the days described do: before it holidays were taken for school days. Complete it.",
        "De tabel met schoolvakanties begint op {date}, na de beschreven dagen: daarvoor zijn vakanties voor schooldagen gehouden. Vul ze aan.",
        "Le tableau des vacances scolaires commence au {date}, après les jours décrits : avant, des vacances ont été prises pour des jours d'école. Complétez-le.",
    ),
    "fact.period": ("Period", "Periode", "Période"),
    "fact.streets": ("Streets", "Straten", "Rues"),
    "fact.span": ("{first} to {last}", "{first} tot {last}", "du {first} au {last}"),
    "head.class": ("Who", "Wie", "Qui"),
    "head.share": ("Share", "Aandeel", "Part"),
    "head.per_hour": ("Per hour", "Per uur", "Par heure"),
    "head.hour": ("Hour", "Uur", "Heure"),
    "head.of_day": ("Of the day seen", "Van de geziene dag", "Du jour vu"),
    "head.month": ("Month", "Maand", "Mois"),
    "head.mark": ("Mark", "Cijfer", "Note"),
    "head.above": ("Above {limit} km/h", "Boven {limit} km/u", "Plus de {limit} km/h"),
    "head.uptime": ("Observed", "Waargenomen", "Observé"),
    "head.first_street": ("First", "Eerste", "Première"),
    "head.second_street": ("Second", "Tweede", "Seconde"),
    "peak.morning": ("morning", "ochtend", "matin"),
    "peak.evening": ("evening", "avond", "soir"),
    "class.pedestrian": ("on foot", "te voet", "à pied"),
    "class.bike": ("by bicycle", "met de fiets", "à vélo"),
    "class.car": ("cars", "auto's", "voitures"),
    "class.heavy": ("large vehicles", "grote voertuigen", "gros véhicules"),
    "caveat.few_days_first": (
        "The first period has counts on {share} of its days.",
        "De eerste periode heeft tellingen op {share} van haar dagen.",
        "La première période a des comptages pour {share} de ses jours.",
    ),
    "caveat.few_days_second": (
        "The second period has counts on {share} of its days.",
        "De tweede periode heeft tellingen op {share} van haar dagen.",
        "La seconde période a des comptages pour {share} de ses jours.",
    ),
    "caveat.holidays": (
        "{first} of the first period and {second} of the second are school holidays.",
        "{first} van de eerste periode en {second} van de tweede zijn schoolvakantie.",
        "{first} de la première période et {second} de la seconde sont des vacances scolaires.",
    ),
    "caveat.seasons": (
        "The periods lie in different seasons.",
        "De periodes liggen in verschillende seizoenen.",
        "Les périodes tombent dans des saisons différentes.",
    ),
    "caveat.few_hours": (
        "Only {share} of the hours of the street that was seen least were seen in all streets.",
        "Slechts {share} van de uren van de straat die het minst is gezien, is in alle straten gezien.",
        "Seulement {share} des heures de la rue la moins vue ont été vues dans toutes les rues.",
    ),
    "caveat.uptime": (
        "In the hours in which all streets were seen, the sensors looked for different shares of the hour, from {low} to {high}: perhaps of different kinds, which count differently.",
        "In de uren waarin alle straten zijn gezien, keken de sensoren een verschillend deel van het uur, van {low} tot {high}: misschien van verschillende soort, die anders telt.",
        "Aux heures où toutes les rues ont été vues, les capteurs ont regardé des parts différentes de l'heure, de {low} à {high} : peut-être de types différents, qui comptent autrement.",
    ),
    "caveat.sensor": (
        "The sensor of {street} was not itself at times: {kind}.",
        "De sensor van {street} was soms niet zichzelf: {kind}.",
        "Le capteur de {street} n'était pas toujours lui-même : {kind}.",
    ),
}
"""Every key with its English, Dutch and French text."""
