"""The words of the checks: a title each, and a sentence for every reason of a verdict, in English, Dutch and French."""

from __future__ import annotations

CHECK_WORDS: dict[str, tuple[str, str, str]] = {
    "data_quality": ("Enough days counted", "Genoeg dagen geteld", "Assez de jours comptés"),
    "data_quality.shares": (
        "{before} of the days before and {after} of the days after could be used.",
        "{before} van de dagen ervoor en {after} van de dagen erna waren bruikbaar.",
        "{before} des jours d'avant et {after} des jours d'après étaient utilisables.",
    ),
    "observed": ("Observed as much", "Evenveel waargenomen", "Autant observé"),
    "observed.shares": (
        "Of the compared hours, {before} was observed before and {after} after.",
        "Van de vergeleken uren is {before} waargenomen ervoor en {after} erna.",
        "Des heures comparées, {before} a été observé avant et {after} après.",
    ),
    "observed.none": ("No hour is known.", "Er is geen uur bekend.", "Aucune heure n'est connue."),
    "sensor_change": ("Same instrument", "Zelfde meetinstrument", "Même instrument"),
    "sensor_change.none": (
        "Nothing points to a change of the sensor in the compared time.",
        "Niets wijst op een verandering van de sensor in de vergeleken tijd.",
        "Rien n'indique un changement du capteur pendant la période comparée.",
    ),
    "sensor_change.found": (
        "{first} to {last}: {detail}.",
        "{first} tot {last}: {detail}.",
        "{first} à {last} : {detail}.",
    ),
    "step": ("Counted in the same portions", "In dezelfde stappen geteld", "Compté par les mêmes pas"),
    "step.same": (
        "Before and after, the counts came in portions of the same length.",
        "Ervoor en erna kwamen de tellingen in stappen van dezelfde lengte.",
        "Avant et après, les comptages avaient le même pas.",
    ),
    "step.changed": (
        "{street} was counted in portions of {before} minutes before and {after} after: another device or export may differ.",
        "{street} is ervoor geteld in stappen van {before} minuten en erna van {after}: een ander toestel of export kan afwijken.",
        "{street} a été comptée par pas de {before} minutes avant et de {after} après : un autre appareil ou export peut différer.",
    ),
    "placebo_in_time": ("Placebo in time", "Placebo in de tijd", "Placebo dans le temps"),
    "placebo_in_time.dates": (
        "At {dates} earlier dates without a measure, something would have been claimed {claimed} times.",
        "Op {dates} eerdere data zonder maatregel was {claimed} keer iets beweerd.",
        "À {dates} dates antérieures sans mesure, quelque chose aurait été affirmé {claimed} fois.",
    ),
    "placebo_in_time.too_short": (
        "The time before is too short for earlier dates ({dates}).",
        "De tijd ervoor is te kort voor eerdere data ({dates}).",
        "La période d'avant est trop courte pour des dates antérieures ({dates}).",
    ),
    "odd_level": ("Level before", "Niveau ervoor", "Niveau d'avant"),
    "odd_level.usual": (
        "In the last half year before, the street did not stand apart from its usual level.",
        "In het laatste halfjaar ervoor week de straat niet af van haar gewone niveau.",
        "Dans les six derniers mois d'avant, la rue ne s'est pas écartée de son niveau habituel.",
    ),
    "odd_level.level": (
        "From {date} until the measure the street lay {size} from its usual level, and its controls did not. Whether it would have gone back, nobody can tell: {usual} against the usual level, {last} against the last weeks before. The interval covers both.",
        "Van {date} tot de maatregel lag de straat {size} van haar gewone niveau, haar controles niet. Of ze vanzelf was teruggekeerd, kan niemand zeggen: {usual} tegenover het gewone niveau, {last} tegenover de laatste weken ervoor. Het interval dekt beide.",
        "Du {date} jusqu'à la mesure, la rue était à {size} de son niveau habituel, pas ses témoins. Serait-elle revenue d'elle-même ? Nul ne peut le dire : {usual} par rapport au niveau habituel, {last} par rapport aux dernières semaines d'avant. L'intervalle couvre les deux.",
    ),
    "odd_level.drift": (
        "From {date} until the measure the street drifted by {size}, and its controls did not, as when a sensor learns. Whether it would have gone on, stayed or gone back, nobody can tell: {usual} against the level before, {last} against the last weeks. The interval covers them.",
        "Van {date} tot de maatregel verschoof de straat met {size}, haar controles niet, zoals wanneer een sensor leert. Of ze was doorgegaan, gebleven of teruggekeerd, kan niemand zeggen: {usual} tegenover het niveau ervoor, {last} tegenover de laatste weken. Het interval dekt ze.",
        "Du {date} jusqu'à la mesure, la rue a dérivé de {size}, pas ses témoins, comme quand un capteur apprend. Aurait-elle continué, serait-elle restée ou revenue ? Nul ne peut le dire : {usual} par rapport au niveau d'avant, {last} par rapport aux dernières semaines. L'intervalle les couvre.",
    ),
    "odd_level.other": (
        "From {date} until the measure the street stood apart from its usual level, and its controls did not. Whether it would have gone back, nobody can tell; the interval covers both.",
        "Van {date} tot de maatregel week de straat af van haar gewone niveau, haar controles niet. Of ze vanzelf was teruggekeerd, kan niemand zeggen; het interval dekt beide.",
        "Du {date} jusqu'à la mesure, la rue s'est écartée de son niveau habituel, pas ses témoins. Serait-elle revenue d'elle-même ? Nul ne peut le dire ; l'intervalle couvre les deux.",
    ),
    "odd_level.last_year": (
        "Two stretches a year apart are compared; what lay between them is not looked at.",
        "Twee periodes met een jaar ertussen worden vergeleken; naar wat ertussen lag, is niet gekeken.",
        "Deux périodes à un an d'intervalle sont comparées ; ce qui s'est passé entre elles n'est pas examiné.",
    ),
    "odd_level.too_short": (
        "The time before is too short to know the usual level.",
        "De tijd ervoor is te kort om het gewone niveau te kennen.",
        "La période d'avant est trop courte pour connaître le niveau habituel.",
    ),
    "placebo_in_space": ("Placebo in space", "Placebo in de ruimte", "Placebo dans l'espace"),
    "placebo_in_space.streets": (
        "Tried on the control streets at the same date: {streets}. Something would have been claimed on {claimed} of them.",
        "Beproefd op de controlestraten op dezelfde datum: {streets}. In {claimed} daarvan was iets beweerd.",
        "Essayé sur les rues témoins à la même date : {streets}. Quelque chose aurait été affirmé dans {claimed} d'entre elles.",
    ),
    "placebo_in_space.no_controls": (
        "There is no control street to try it on.",
        "Er is geen controlestraat om het op te proberen.",
        "Il n'y a pas de rue témoin pour l'essayer.",
    ),
    "leave_one_control_out": ("Leave one control out", "Eén controle weglaten", "Sans l'un des témoins"),
    "leave_one_control_out.range": (
        "Without each of the controls the answer lies between {low} and {high}.",
        "Zonder elk van de controles ligt het antwoord tussen {low} en {high}.",
        "Sans chacun des témoins, la réponse se situe entre {low} et {high}.",
    ),
    "leave_one_control_out.one_control": (
        "None can be left out: usable control streets: {controls}.",
        "Er kan er geen worden weggelaten: bruikbare controlestraten: {controls}.",
        "Aucune ne peut être omise : rues témoins utilisables : {controls}.",
    ),
    "parallel_before": ("Parallel before", "Gelijk op ervoor", "Évolution parallèle avant"),
    "parallel_before.drift": (
        "Over {weeks} weeks before, the street drifted {drift} against its controls.",
        "In {weeks} weken ervoor verschoof de straat {drift} tegenover haar controles.",
        "Sur {weeks} semaines avant, la rue a dérivé de {drift} par rapport à ses témoins.",
    ),
    "parallel_before.wide": (
        "Over {weeks} weeks before, the street drifted {drift} against its controls: streets like it may do so by chance, but it did not run parallel.",
        "In {weeks} weken ervoor verschoof de straat {drift} tegenover haar controles: zulke straten doen dat soms door toeval, maar gelijk op ging het niet.",
        "Sur {weeks} semaines avant, la rue a dérivé de {drift} par rapport à ses témoins : de telles rues le font parfois par hasard, mais l'évolution n'était pas parallèle.",
    ),
    "parallel_before.last_year": (
        "Two stretches a year apart are compared; how street and controls went between them is not looked at.",
        "Twee periodes met een jaar ertussen worden vergeleken; hoe straat en controles daartussen liepen, is niet bekeken.",
        "Deux périodes à un an d'intervalle sont comparées ; l'évolution de la rue et des témoins entre elles n'est pas examinée.",
    ),
    "parallel_before.no_controls": (
        "There is no control street to run parallel with.",
        "Er is geen controlestraat om mee te vergelijken.",
        "Il n'y a pas de rue témoin à comparer.",
    ),
    "parallel_before.too_short": (
        "Only {weeks} weeks before are shared with the controls.",
        "Maar {weeks} weken ervoor zijn gemeenschappelijk met de controles.",
        "Seulement {weeks} semaines d'avant sont communes avec les témoins.",
    ),
    "controls": ("Control streets", "Controlestraten", "Rues témoins"),
    "controls.some": (
        "Used, of {named} that were named: {names}. The days of the nearest go with the street's by {shared}.",
        "Gebruikt, van de {named} die zijn genoemd: {names}. De dagen van de meest gelijkende gaan voor {shared} mee met de straat.",
        "Utilisées, sur {named} nommées : {names}. Les jours de la plus proche vont de pair à {shared}.",
    ),
    "controls.last_year": (
        "Used, of {named} that were named: {names}. What they did over the same year is taken off.",
        "Gebruikt, van de {named} die zijn genoemd: {names}. Wat zij in hetzelfde jaar deden, is eraf gehaald.",
        "Utilisées, sur {named} nommées : {names}. Leur évolution sur la même année est déduite.",
    ),
    "controls.none": (
        "No usable control street ({named} named): a change of the whole town would pass for the measure's.",
        "Geen bruikbare controlestraat ({named} genoemd): een verandering van de hele stad zou op die van de maatregel lijken.",
        "Aucune rue témoin utilisable ({named} nommées) : un changement de toute la ville passerait pour celui de la mesure.",
    ),
    "season": ("Season", "Seizoen", "Saison"),
    "season.last_year": (
        "The same weeks of the year before are in the data.",
        "Dezelfde weken van het jaar ervoor zitten in de gegevens.",
        "Les mêmes semaines de l'année précédente sont dans les données.",
    ),
    "season.same_season": (
        "Before and after lie in like parts of the year.",
        "Ervoor en erna liggen in vergelijkbare delen van het jaar.",
        "Avant et après se situent dans des parties semblables de l'année.",
    ),
    "season.other_season": (
        "The time after lies in another part of the year; the interval allows for a season of about {allowed}.",
        "De tijd erna ligt in een ander deel van het jaar; het interval houdt rekening met een seizoen van ongeveer {allowed}.",
        "La période d'après se situe dans une autre partie de l'année ; l'intervalle tient compte d'une saison d'environ {allowed}.",
    ),
    "holidays": ("Holidays", "Vakanties en feestdagen", "Vacances et jours fériés"),
    "holidays.table": (
        "In the model, from a table: {before} of the days before and {after} after are school holidays; public holidays are left out.",
        "In het model, uit een tabel: {before} van de dagen ervoor en {after} erna zijn schoolvakantie; feestdagen tellen niet mee.",
        "Dans le modèle, d'après une table : {before} des jours d'avant et {after} d'après sont des vacances scolaires ; les jours fériés sont exclus.",
    ),
    "holidays.assumed": (
        "Public holidays are left out; of school holidays only New Year and high summer are in the model ({before} before, {after} after).",
        "Feestdagen tellen niet mee; van de schoolvakanties zitten alleen Nieuwjaar en de hoogzomer in het model ({before} ervoor, {after} erna).",
        "Les jours fériés sont exclus ; des vacances scolaires, seuls le Nouvel An et le plein été sont dans le modèle ({before} avant, {after} après).",
    ),
    "holidays.no_country": (
        "Not in the model: no country is known for this time zone ({before} school holidays assumed before, {after} after).",
        "Niet in het model: voor deze tijdzone is geen land bekend ({before} vakantie verondersteld ervoor, {after} erna).",
        "Pas dans le modèle : aucun pays connu pour ce fuseau horaire ({before} de vacances supposées avant, {after} après).",
    ),
    "holidays.unknown_years": (
        "Not all in the model: the public holidays of {where} are not known for {years} ({before} school holidays before, {after} after).",
        "Niet alle in het model: de feestdagen van {where} zijn niet bekend voor {years} ({before} schoolvakantie ervoor, {after} erna).",
        "Pas tous dans le modèle : les jours fériés de {where} ne sont pas connus pour {years} ({before} de vacances scolaires avant, {after} après).",
    ),
    "holidays.table_ends": (
        "The table of school holidays ends on {date}, before the days compared do: complete it ({before} of the days before and {after} after are in it).",
        "De tabel met schoolvakanties eindigt op {date}, voor de vergeleken dagen: vul ze aan ({before} van de dagen ervoor en {after} erna staan erin).",
        "Le tableau des vacances scolaires s'arrête au {date}, avant les jours comparés : complétez-le ({before} des jours d'avant et {after} d'après y figurent).",
    ),
    "holidays.table_begins": (
        "The table of school holidays begins on {date}, after the days compared do: complete it ({before} of the days before and {after} after are in it).",
        "De tabel met schoolvakanties begint op {date}, na de vergeleken dagen: vul ze aan ({before} van de dagen ervoor en {after} erna staan erin).",
        "Le tableau des vacances scolaires commence au {date}, après les jours comparés : complétez-le ({before} des jours d'avant et {after} d'après y figurent).",
    ),
    "daylight": ("Like with like", "Gelijk met gelijk", "À heures égales"),
    "daylight.part": (
        "Only {hours} hours of the day, {first} to {last} o'clock, were seen on both sides and are compared.",
        "Alleen {hours} uren van de dag, {first} tot {last} uur, zijn aan beide kanten gezien en vergeleken.",
        "Seules {hours} heures du jour, de {first} à {last} h, ont été vues des deux côtés et sont comparées.",
    ),
    "daylight.few": (
        "Only {hours} hours of the day, {first} to {last} o'clock, were seen on both sides: of the others nothing is said.",
        "Alleen {hours} uren van de dag, {first} tot {last} uur, zijn aan beide kanten gezien: over de andere is niets gezegd.",
        "Seules {hours} heures du jour, de {first} à {last} h, ont été vues des deux côtés : rien n'est dit des autres.",
    ),
    "daylight.whole_day": (
        "All {hours} hours are compared ({first} to {last}).",
        "Alle {hours} uren zijn vergeleken ({first} tot {last}).",
        "Les {hours} heures sont comparées ({first} à {last}).",
    ),
    "daylight.none": ("No hour is known.", "Er is geen uur bekend.", "Aucune heure n'est connue."),
    "weather": ("Weather", "Weer", "Météo"),
    "weather.in_model": (
        "In the model; at most {size} standard deviations from the season.",
        "In het model; hoogstens {size} standaardafwijkingen van het seizoen.",
        "Dans le modèle ; au plus {size} écarts-types de la saison.",
    ),
    "weather.part": (
        "Only known for {before} of the days before and {after} of those after, {first} to {last}: in the model where it is known.",
        "Alleen bekend voor {before} van de dagen ervoor en {after} van die erna, van {first} tot {last}: in het model waar het bekend is.",
        "Connue seulement pour {before} des jours d'avant et {after} de ceux d'après, du {first} au {last} : dans le modèle où elle est connue.",
    ),
    "weather.too_short": (
        "In the model, but too short to tell whether it was unusual.",
        "In het model, maar te kort om te weten of het ongewoon was.",
        "Dans le modèle, mais trop court pour savoir s'il était inhabituel.",
    ),
    "weather.not_known": (
        "Not in the model, and no control street shares it.",
        "Niet in het model, en er is geen controlestraat die het deelt.",
        "Pas dans le modèle, et aucune rue témoin ne la partage.",
    ),
    "weather.not_known_controls": (
        "Not in the model; only what the control streets share of it is taken out.",
        "Niet in het model; alleen wat de controlestraten ervan delen, is eruit gehaald.",
        "Pas dans le modèle ; seul ce que les rues témoins en partagent est retiré.",
    ),
    "other_measures": ("Other measures nearby", "Andere maatregelen in de buurt", "Autres mesures à proximité"),
    "other_measures.near": (
        "Noted in the compared time: {date}, {text}.",
        "Genoteerd in de vergeleken tijd: {date}, {text}.",
        "Noté pendant la période comparée : {date}, {text}.",
    ),
    "other_measures.none_noted": (
        "None was noted; whoever knows the street should confirm it.",
        "Er is er geen genoteerd; wie de straat kent, moet dat bevestigen.",
        "Aucune n'a été notée ; qui connaît la rue devrait le confirmer.",
    ),
    "regression_to_the_mean": (
        "Chosen for a bad month",
        "Gekozen om een slechte maand",
        "Choisie pour un mauvais mois",
    ),
    "regression_to_the_mean.chosen": (
        "The street was chosen because of a bad month: it would have become better by itself.",
        "De straat is gekozen om een slechte maand: ze was vanzelf beter geworden.",
        "La rue a été choisie pour un mauvais mois : elle se serait améliorée d'elle-même.",
    ),
    "regression_to_the_mean.too_short": (
        "The history is too short to tell whether the time before was unusual.",
        "De geschiedenis is te kort om te weten of de tijd ervoor ongewoon was.",
        "L'historique est trop court pour savoir si la période d'avant était inhabituelle.",
    ),
    "regression_to_the_mean.above": (
        "The last {weeks} weeks before lie {change} above the street's earlier level.",
        "De laatste {weeks} weken ervoor liggen {change} boven het eerdere niveau van de straat.",
        "Les {weeks} dernières semaines d'avant sont {change} au-dessus du niveau antérieur de la rue.",
    ),
    "regression_to_the_mean.below": (
        "The last {weeks} weeks before lie {change} below the street's earlier level.",
        "De laatste {weeks} weken ervoor liggen {change} onder het eerdere niveau van de straat.",
        "Les {weeks} dernières semaines d'avant sont {change} au-dessous du niveau antérieur de la rue.",
    ),
}
"""Every check's title and reasons with their English, Dutch and French text."""
