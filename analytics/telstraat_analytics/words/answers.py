"""The words of the answers in English, Dutch and French: one table, so that a missing translation is seen by a test."""

from __future__ import annotations

ANSWER_WORDS: dict[str, tuple[str, str, str]] = {
    # what is counted, as the subject of a sentence
    "pedestrian": ("Pedestrian traffic", "Het aantal voetgangers", "Le nombre de piétons"),
    "bike": ("Bicycle traffic", "Het fietsverkeer", "Le trafic cycliste"),
    "car": ("Car traffic", "Het autoverkeer", "Le trafic automobile"),
    "heavy": ("Traffic of large vehicles", "Het verkeer van grote voertuigen", "Le trafic de gros véhicules"),
    "motor": ("Motor traffic", "Het gemotoriseerde verkeer", "Le trafic motorisé"),
    "active": ("Traffic on foot and by bicycle", "Het verkeer te voet en per fiets", "Le trafic à pied et à vélo"),
    "all": ("Traffic", "Het verkeer", "Le trafic"),
    "v85": ("The speed V85", "De snelheid V85", "La vitesse V85"),
    "above_limit": (
        "The share of cars above the limit",
        "Het aandeel auto's boven de limiet",
        "La part des voitures au-dessus de la limite",
    ),
    "bike_share": ("The share of bicycles", "Het aandeel fietsen", "La part des vélos"),
    "active_share": (
        "The share on foot and by bicycle",
        "Het aandeel te voet en per fiets",
        "La part à pied et à vélo",
    ),
    "motor_share": ("The share of motor traffic", "Het aandeel gemotoriseerd verkeer", "La part du trafic motorisé"),
    # where, which part
    "in_street": ("{what} in {where}", "{what} in {where}", "{what}, {where},"),
    "in_area": ("{what} in {streets} together", "{what} in {streets} samen", "{what}, {streets} ensemble,"),
    "in_area_mean": (
        "{what}, on average over {streets},",
        "{what}, gemiddeld over {streets},",
        "{what}, en moyenne sur {streets},",
    ),
    "streets.many": ("{count} streets", "{count} straten", "{count} rues"),
    "and": (" and ", " en ", " et "),
    "lft": (", from A to B", ", van A naar B", ", de A vers B"),
    "rgt": (", from B to A", ", van B naar A", ", de B vers A"),
    "hours.span": ("{first} to {last}", "{first} tot {last}", "de {first} à {last}"),
    "hours.of": ("{spans} o'clock", "{spans} uur", "{spans} h"),
    "hours.all": ("all 24 hours of the day", "alle 24 uren van de dag", "les 24 heures du jour"),
    "hours.differ": (
        "in the hours seen of each street, {least} to {most} a day",
        "in de uren die van elke straat zijn gezien, {least} tot {most} per dag",
        "aux heures vues de chaque rue, {least} à {most} par jour",
    ),
    "period": (", {first} to {last}", ", {first} tot {last}", ", du {first} au {last}"),
    "workdays": (", Monday to Friday", ", maandag tot vrijdag", ", du lundi au vendredi"),
    "weekend": (", at weekends", ", in het weekend", ", le week-end"),
    # the answer
    "fell": (
        (
            "{subject} fell by {size} ({low} to {high}) against what would have been expected; "
            "a change this large comes about by chance in {chance} comparable periods without a measure."
        ),
        (
            "{subject} daalde met {size} ({low} tot {high}) tegenover wat te verwachten was; "
            "een verandering van deze grootte komt door toeval voor in {chance} vergelijkbare periodes zonder maatregel."
        ),
        (
            "{subject} a baissé de {size} ({low} à {high}) par rapport à ce qui était attendu ; "
            "un changement de cette ampleur survient par hasard dans {chance} des périodes comparables sans mesure."
        ),
    ),
    "rose": (
        (
            "{subject} rose by {size} ({low} to {high}) against what would have been expected; "
            "a change this large comes about by chance in {chance} comparable periods without a measure."
        ),
        (
            "{subject} steeg met {size} ({low} tot {high}) tegenover wat te verwachten was; "
            "een verandering van deze grootte komt door toeval voor in {chance} vergelijkbare periodes zonder maatregel."
        ),
        (
            "{subject} a augmenté de {size} ({low} à {high}) par rapport à ce qui était attendu ; "
            "un changement de cette ampleur survient par hasard dans {chance} des périodes comparables sans mesure."
        ),
    ),
    "unclear": (
        (
            "{subject}: no change can be told from chance ({size}, between {low} and {high}); "
            "these data would have shown a fall of about {detectable} or more."
        ),
        (
            "{subject}: geen verandering die van toeval te onderscheiden is ({size}, tussen {low} en {high}); "
            "deze gegevens hadden een daling van ongeveer {detectable} of meer laten zien."
        ),
        (
            "{subject} : aucun changement ne se distingue du hasard ({size}, entre {low} et {high}) ; "
            "ces données auraient montré une baisse d'environ {detectable} ou plus."
        ),
    ),
    "fell_year": (
        (
            "{subject} fell by {size} ({low} to {high}) against the same weeks of the year before, what the control streets did taken off; "
            "a change this large comes about by chance in {chance} comparable years without a measure."
        ),
        (
            "{subject} daalde met {size} ({low} tot {high}) tegenover dezelfde weken van het jaar ervoor, na aftrek van wat de controlestraten deden; "
            "een verandering van deze grootte komt door toeval voor in {chance} vergelijkbare jaren zonder maatregel."
        ),
        (
            "{subject} a baissé de {size} ({low} à {high}) par rapport aux mêmes semaines de l'année précédente, déduction faite de l'évolution des rues témoins ; "
            "un changement de cette ampleur survient par hasard dans {chance} des années comparables sans mesure."
        ),
    ),
    "rose_year": (
        (
            "{subject} rose by {size} ({low} to {high}) against the same weeks of the year before, what the control streets did taken off; "
            "a change this large comes about by chance in {chance} comparable years without a measure."
        ),
        (
            "{subject} steeg met {size} ({low} tot {high}) tegenover dezelfde weken van het jaar ervoor, na aftrek van wat de controlestraten deden; "
            "een verandering van deze grootte komt door toeval voor in {chance} vergelijkbare jaren zonder maatregel."
        ),
        (
            "{subject} a augmenté de {size} ({low} à {high}) par rapport aux mêmes semaines de l'année précédente, déduction faite de l'évolution des rues témoins ; "
            "un changement de cette ampleur survient par hasard dans {chance} des années comparables sans mesure."
        ),
    ),
    "fell_year_alone": (
        (
            "{subject} fell by {size} ({low} to {high}) against the same weeks of the year before, with no control street to tell what the town did meanwhile; "
            "a change this large comes about by chance in {chance} comparable years without a measure."
        ),
        (
            "{subject} daalde met {size} ({low} tot {high}) tegenover dezelfde weken van het jaar ervoor, zonder controlestraat die toont wat de stad intussen deed; "
            "een verandering van deze grootte komt door toeval voor in {chance} vergelijkbare jaren zonder maatregel."
        ),
        (
            "{subject} a baissé de {size} ({low} à {high}) par rapport aux mêmes semaines de l'année précédente, sans rue témoin qui montre ce que la ville a fait entre-temps ; "
            "un changement de cette ampleur survient par hasard dans {chance} des années comparables sans mesure."
        ),
    ),
    "rose_year_alone": (
        (
            "{subject} rose by {size} ({low} to {high}) against the same weeks of the year before, with no control street to tell what the town did meanwhile; "
            "a change this large comes about by chance in {chance} comparable years without a measure."
        ),
        (
            "{subject} steeg met {size} ({low} tot {high}) tegenover dezelfde weken van het jaar ervoor, zonder controlestraat die toont wat de stad intussen deed; "
            "een verandering van deze grootte komt door toeval voor in {chance} vergelijkbare jaren zonder maatregel."
        ),
        (
            "{subject} a augmenté de {size} ({low} à {high}) par rapport aux mêmes semaines de l'année précédente, sans rue témoin qui montre ce que la ville a fait entre-temps ; "
            "un changement de cette ampleur survient par hasard dans {chance} des années comparables sans mesure."
        ),
    ),
    "unclear_year": (
        (
            "{subject}: no change against the same weeks of the year before can be told from chance ({size}, between {low} and {high}); "
            "these data would have shown a fall of about {detectable} or more."
        ),
        (
            "{subject}: geen verandering tegenover dezelfde weken van het jaar ervoor die van toeval te onderscheiden is ({size}, tussen {low} en {high}); "
            "deze gegevens hadden een daling van ongeveer {detectable} of meer laten zien."
        ),
        (
            "{subject} : aucun changement par rapport aux mêmes semaines de l'année précédente ne se distingue du hasard ({size}, entre {low} et {high}) ; "
            "ces données auraient montré une baisse d'environ {detectable} ou plus."
        ),
    ),
    "refused": (
        "{subject}: no answer, because these data do not allow one: {reasons}.",
        "{subject}: geen antwoord, want deze gegevens laten dat niet toe: {reasons}.",
        "{subject} : pas de réponse, car ces données ne le permettent pas : {reasons}.",
    ),
    "but": (
        "This may not be the measure's doing: {doubts}.",
        "Dit hoeft niet door de maatregel te komen: {doubts}.",
        "Ceci n'est peut-être pas dû à la mesure : {doubts}.",
    ),
    "one_in": ("1 of {n}", "1 op de {n}", "1 sur {n}"),
    "rarer": ("fewer than 1 of {n}", "minder dan 1 op de {n}", "moins de 1 sur {n}"),
    "often": ("more than 1 of 2", "meer dan 1 op de 2", "plus de 1 sur 2"),
    "points": ("{value} percentage points", "{value} procentpunt", "{value} points"),
    "points_short": ("{value} pp", "{value} pp", "{value} pts"),
    "moved": (
        "Of the {left} crossings a day{hours} that left {treated}, {share} ({low} to {high}) are found on the boundary ({boundary}).",
        "Van de {left} passages per dag{hours} die uit {treated} verdwenen, is {share} ({low} tot {high}) op de rand teruggevonden ({boundary}).",
        "Des {left} passages par jour{hours} qui ont quitté {treated}, {share} ({low} à {high}) se retrouvent en bordure ({boundary}).",
    ),
    "moved_unclear": (
        "Whether any of the {left} crossings a day{hours} that left {treated} went to the boundary ({boundary}) cannot be told from chance: {share} of them, between {low} and {high}.",
        "Of van de {left} passages per dag{hours} die uit {treated} verdwenen er op de rand ({boundary}) terechtkwamen, is niet van toeval te onderscheiden: {share} ervan, tussen {low} en {high}.",
        "On ne peut distinguer du hasard si une part des {left} passages par jour{hours} qui ont quitté {treated} se retrouve en bordure ({boundary}) : {share} d'entre eux, entre {low} et {high}.",
    ),
    "moved_not": (
        "None of the {left} crossings a day{hours} that left {treated} is found on the boundary ({boundary}): there, too, {crossings} fewer a day were counted than expected ({low} to {high}).",
        "Van de {left} passages per dag{hours} die uit {treated} verdwenen, is er geen op de rand ({boundary}) teruggevonden: ook daar zijn er per dag {crossings} minder geteld dan verwacht ({low} tot {high}).",
        "Aucun des {left} passages par jour{hours} qui ont quitté {treated} ne se retrouve en bordure ({boundary}) : là aussi, il y en a {crossings} de moins par jour qu'attendu ({low} à {high}).",
    ),
    "evaporated": (
        "Over {treated} and the boundary ({boundary}) together {crossings} crossings a day{hours} are missing ({low} to {high}): they evaporated, or went where nobody counts.",
        "Over {treated} en de rand ({boundary}) samen ontbreken per dag{hours} {crossings} passages ({low} tot {high}): ze zijn verdampt, of gingen waar niemand telt.",
        "Sur {treated} et la bordure ({boundary}) ensemble il manque par jour{hours} {crossings} passages ({low} à {high}) : ils se sont évaporés, ou sont passés là où personne ne compte.",
    ),
    "evaporated_unclear": (
        "Whether any of it evaporated cannot be told from chance: over {treated} and the boundary ({boundary}) together {crossings} crossings a day{hours}, between {low} and {high}.",
        "Of er iets van verdampte, is niet van toeval te onderscheiden: over {treated} en de rand ({boundary}) samen {crossings} passages per dag{hours}, tussen {low} en {high}.",
        "On ne peut distinguer du hasard si une part s'est évaporée : sur {treated} et la bordure ({boundary}) ensemble {crossings} passages par jour{hours}, entre {low} et {high}.",
    ),
    "evaporated_not": (
        "Nothing evaporated: over {treated} and the boundary ({boundary}) together {crossings} more crossings a day{hours} than expected ({low} to {high}).",
        "Er is niets verdampt: over {treated} en de rand ({boundary}) samen {crossings} passages per dag{hours} meer dan verwacht ({low} tot {high}).",
        "Rien ne s'est évaporé : sur {treated} et la bordure ({boundary}) ensemble {crossings} passages par jour{hours} de plus qu'attendu ({low} à {high}).",
    ),
    "plan.fall": ("a fall of {size}", "een daling van {size}", "une baisse de {size}"),
    "plan.rise": ("a rise of {size}", "een stijging van {size}", "une hausse de {size}"),
    "plan_weeks": (
        "{what}: to see {change} four times out of five, count {weeks} weeks before and {weeks} weeks after (treated streets with a sensor: {sensors}, others: {controls}).",
        "{what}: om {change} vier van de vijf keer te zien, tel {weeks} weken ervoor en {weeks} weken erna (straten met de maatregel en een sensor: {sensors}, andere: {controls}).",
        "{what} : pour voir {change} quatre fois sur cinq, comptez {weeks} semaines avant et {weeks} semaines après (rues concernées avec un capteur : {sensors}, autres : {controls}).",
    ),
    "plan_more": (
        "{what}: to see {change} four times out of five, count {weeks} weeks before and {weeks} weeks after (treated streets with a sensor: {sensors}, others: {controls}); with {fewer} of the former, even {longest} weeks are not enough.",
        "{what}: om {change} vier van de vijf keer te zien, tel {weeks} weken ervoor en {weeks} weken erna (straten met de maatregel en een sensor: {sensors}, andere: {controls}); met {fewer} van de eerste zijn zelfs {longest} weken niet genoeg.",
        "{what} : pour voir {change} quatre fois sur cinq, comptez {weeks} semaines avant et {weeks} semaines après (rues concernées avec un capteur : {sensors}, autres : {controls}) ; avec {fewer} des premières, même {longest} semaines ne suffisent pas.",
    ),
    "plan_never": (
        "{what}: {change} is not seen four times out of five even with {weeks} weeks before and after (treated streets with a sensor: {sensors}, others: {controls}); one of {found} would be.",
        "{what}: {change} is zelfs met {weeks} weken ervoor en erna niet vier van de vijf keer te zien (straten met de maatregel en een sensor: {sensors}, andere: {controls}); een van {found} wel.",
        "{what} : {change} ne se voit pas quatre fois sur cinq, même avec {weeks} semaines avant et après (rues concernées avec un capteur : {sensors}, autres : {controls}) ; de {found}, oui.",
    ),
    # verdicts
    "passed": ("passed", "geslaagd", "réussi"),
    "doubt": ("doubt", "twijfel", "doute"),
    "failed": ("failed", "niet geslaagd", "échoué"),
    "unknown": ("cannot be checked", "niet na te gaan", "invérifiable"),
    # what is wrong with a sensor
    "kind.silent": (
        "the sensor looked but counted nothing at all",
        "de sensor keek maar telde helemaal niets",
        "le capteur regardait mais ne comptait rien",
    ),
    "kind.dead_channel": (
        "one class was not counted any more although the others were",
        "één klasse werd niet meer geteld terwijl de andere dat wel werden",
        "une classe n'était plus comptée alors que les autres l'étaient",
    ),
    "kind.moved": (
        "all classes jump at once: the sensor looks at something else",
        "alle klassen springen tegelijk: de sensor kijkt naar iets anders",
        "toutes les classes sautent à la fois : le capteur regarde autre chose",
    ),
    "kind.new_instance": (
        "another installation of the sensor begins",
        "een andere installatie van de sensor begint",
        "une autre installation du capteur commence",
    ),
    "kind.learning": (
        "a new sensor has not yet learnt to tell large vehicles from cars",
        "een nieuwe sensor heeft nog niet geleerd grote voertuigen van auto's te onderscheiden",
        "un nouveau capteur n'a pas encore appris à distinguer les gros véhicules des voitures",
    ),
    "kind.class_drift": (
        "the split of cars and large vehicles moves although their sum does not",
        "de verdeling van auto's en grote voertuigen verschuift terwijl hun som gelijk blijft",
        "la répartition entre voitures et gros véhicules bouge alors que leur somme ne bouge pas",
    ),
    "kind.gain_drift": (
        "motor traffic and people on foot or by bike change together against the neighbouring streets: the view has changed",
        "gemotoriseerd verkeer en voetgangers of fietsers veranderen samen tegenover de buurstraten: het beeld is veranderd",
        "le trafic motorisé et les piétons ou cyclistes changent ensemble par rapport aux rues voisines : la vue a changé",
    ),
    "kind.low_uptime": (
        "the sensor looked for much less of the time than usual",
        "de sensor keek veel minder van de tijd dan gewoonlijk",
        "le capteur regardait bien moins de temps que d'habitude",
    ),
    "kind.gap": (
        "too few hours of daylight were observed to compare the day",
        "er zijn te weinig uren daglicht waargenomen om de dag te vergelijken",
        "trop peu d'heures de jour ont été observées pour comparer la journée",
    ),
    "kind.marked": (
        "marked as not to be compared",
        "gemarkeerd als niet te vergelijken",
        "marqué comme à ne pas comparer",
    ),
    # why there is no answer
    "refusal.instrument": (
        "{where}: {kind} ({first}); before and after are not the same instrument",
        "{where}: {kind} ({first}); ervoor en erna is niet hetzelfde meetinstrument",
        "{where} : {kind} ({first}) ; avant et après, ce n'est pas le même instrument",
    ),
    "refusal.dead_channel": (
        "{where}: {kind} ({first} to {last}); say closed_to in the measure if the street is closed to them",
        "{where}: {kind} ({first} tot {last}); zet closed_to in de maatregel als de straat voor hen gesloten is",
        "{where} : {kind} ({first} à {last}) ; indiquer closed_to dans la mesure si la rue leur est fermée",
    ),
    "refusal.not_there": (
        "{where}: not in the counts of these days",
        "{where}: staat niet in de tellingen van deze dagen",
        "{where} : absente des comptages de ces jours",
    ),
    "refusal.no_days": (
        "{where}: no comparable days at all{why}",
        "{where}: helemaal geen vergelijkbare dagen{why}",
        "{where} : aucun jour comparable{why}",
    ),
    "refusal.few_last_year": (
        "{where}: fewer than {needed} days can be paired with a like day of the year before{why}",
        "{where}: minder dan {needed} dagen hebben een gelijke dag in het jaar ervoor{why}",
        "{where} : moins de {needed} jours ont un jour semblable l'année précédente{why}",
    ),
    "refusal.few_before": (
        "{where}: {days} comparable days before the date, at least {needed} are needed{why}",
        "{where}: {days} vergelijkbare dagen voor de datum, minstens {needed} zijn nodig{why}",
        "{where} : {days} jours comparables avant la date, il en faut au moins {needed}{why}",
    ),
    "refusal.few_after": (
        "{where}: {days} comparable days after the date, at least {needed} are needed{why}",
        "{where}: {days} vergelijkbare dagen na de datum, minstens {needed} zijn nodig{why}",
        "{where} : {days} jours comparables après la date, il en faut au moins {needed}{why}",
    ),
    "refusal.nothing_before": (
        "{where}: nothing was counted before the date, so no change in percent can be given",
        "{where}: voor de datum is niets geteld, dus een verandering in procent bestaat niet",
        "{where} : rien n'a été compté avant la date, un changement en pour cent n'existe donc pas",
    ),
    "refusal.holidays": (
        "{where}: only holidays are left on one side of the date",
        "{where}: aan één kant van de datum blijven alleen feestdagen over",
        "{where} : il ne reste que des jours fériés d'un côté de la date",
    ),
}
"""Every key with its English, Dutch and French text."""
