"""The words of the reports: titles, table heads and captions in English, Dutch and French."""

from __future__ import annotations

REPORT_WORDS: dict[str, tuple[str, str, str]] = {
    "title.answers": ("What was found", "Wat is gevonden", "Ce qui a été trouvé"),
    "title.checks": ("The doubts: {where}", "De twijfels: {where}", "Les doutes : {where}"),
    "title.findings": (
        "What was wrong with the sensors",
        "Wat er mis was met de sensoren",
        "Ce qui n'allait pas avec les capteurs",
    ),
    "title.flows": ("Where the traffic went", "Waar het verkeer bleef", "Où est passé le trafic"),
    "title.plan": ("What counting can show", "Wat tellen kan laten zien", "Ce que compter peut montrer"),
    "title.planning": ("Planning a count", "Een telling plannen", "Planifier un comptage"),
    "title.power": (
        "How often the wanted effect is seen",
        "Hoe vaak het gewenste effect te zien is",
        "Combien de fois l'effet voulu se voit",
    ),
    "title.streets": (
        "The change of each street, with its interval",
        "De verandering per straat, met interval",
        "Le changement de chaque rue, avec son intervalle",
    ),
    "title.timeline": ("The sensors over time", "De sensoren in de tijd", "Les capteurs dans le temps"),
    "title.weeks": (
        "Observed and expected, week by week: {where}",
        "Waargenomen en verwacht, per week: {where}",
        "Observé et attendu, semaine par semaine : {where}",
    ),
    "title.report": ("Before and after", "Voor en na", "Avant et après"),
    "title.map": (
        "Where it changed: as wide as the change, pale and dashed where it cannot be told from chance",
        "Waar het veranderde: zo breed als de verandering, bleek en gestreept waar die niet van toeval te onderscheiden is",
        "Où cela a changé : aussi large que le changement, pâle et tireté là où il ne se distingue pas du hasard",
    ),
    "title.no_answer": ("Streets without an answer", "Straten zonder antwoord", "Rues sans réponse"),
    "title.method": ("How it was computed", "Hoe het is berekend", "Comment c'est calculé"),
    "title.short": ("In short", "In het kort", "En bref"),
    "title.measure": ("The measure", "De maatregel", "La mesure"),
    "map.fell": ("less", "minder", "moins"),
    "map.rose": ("more", "meer", "plus"),
    "map.unclear": ("cannot be told from chance", "niet van toeval te onderscheiden", "ne se distingue pas du hasard"),
    "map.no_answer": ("no answer", "geen antwoord", "pas de réponse"),
    "map.control": ("control street", "controlestraat", "rue témoin"),
    "map.width": ("size of the change", "grootte van de verandering", "taille du changement"),
    "method.compared": (
        (
            "The {before} days before {date} are compared with {after} days after it{transition}: only hours that were seen "
            "on both sides, only days on which most of the usual traffic was seen, no public holidays."
        ),
        (
            "De {before} dagen voor {date} zijn vergeleken met {after} dagen erna{transition}: alleen uren die aan beide kanten "
            "zijn gezien, alleen dagen waarop het meeste van het gewone verkeer is gezien, geen feestdagen."
        ),
        (
            "Les {before} jours avant le {date} sont comparés à {after} jours après{transition} : seulement les heures vues des "
            "deux côtés, les jours où la plus grande part du trafic habituel a été vue, sans jours fériés."
        ),
    ),
    "method.transition": (
        ", leaving out {days} days in between",
        ", met weglating van {days} dagen ertussen",
        ", en laissant de côté {days} jours entre les deux",
    ),
    "method.expected": (
        (
            "“Expected” is what these streets would have shown without the measure: their usual week, season and holidays, "
            "and what they share with the control streets."
        ),
        (
            "“Verwacht” is wat deze straten zonder de maatregel hadden laten zien: hun gewone week, seizoen en vakanties, en wat "
            "ze delen met de controlestraten."
        ),
        (
            "« Attendu » : ce que ces rues auraient montré sans la mesure, d'après leur semaine habituelle, la saison, les "
            "vacances et ce qu'elles partagent avec les rues témoins."
        ),
    ),
    "method.interval": (
        (
            "Streets move from week to week by themselves. The interval comes from how such streets move when nothing is done, "
            "and was tried on {placebos} dates and streets of nothing in these very data."
        ),
        (
            "Straten bewegen vanzelf van week tot week. Het interval komt van hoe zulke straten bewegen als er niets gebeurt, en "
            "is beproefd op {placebos} data en straten zonder maatregel in deze zelfde gegevens."
        ),
        (
            "Les rues bougent d'elles-mêmes d'une semaine à l'autre. L'intervalle vient de la façon dont de telles rues bougent "
            "quand rien n'est fait ; il a été essayé sur {placebos} dates et rues sans mesure dans ces mêmes données."
        ),
    ),
    "method.untried": (
        (
            "Streets move from week to week by themselves. The interval comes from how such streets move when nothing is done; these "
            "data are too short, or too few, to try it on dates and streets of nothing."
        ),
        (
            "Straten bewegen vanzelf van week tot week. Het interval komt van hoe zulke straten bewegen als er niets gebeurt; deze "
            "gegevens zijn te kort, of te weinig, om het op data en straten zonder maatregel te beproeven."
        ),
        (
            "Les rues bougent d'elles-mêmes d'une semaine à l'autre. L'intervalle vient de la façon dont de telles rues bougent "
            "quand rien n'est fait ; ces données sont trop courtes, ou trop peu nombreuses, pour l'essayer sans mesure."
        ),
    ),
    "method.reading": (
        (
            "Where the interval includes zero, that is no proof that nothing changed: see the smallest change that these data "
            "would have shown. Of twenty questions asked, one shows a change by chance."
        ),
        (
            "Waar het interval nul bevat, is dat geen bewijs dat er niets veranderde: zie de kleinste verandering die deze "
            "gegevens hadden laten zien. Van twintig vragen toont er één door toeval een verandering."
        ),
        (
            "Là où l'intervalle contient zéro, ce n'est pas la preuve que rien n'a changé : voir le plus petit changement que ces "
            "données auraient montré. Sur vingt questions posées, une montre un changement par hasard."
        ),
    ),
    "verdict.count": (
        "Of {all} checks {passed} passed, {doubt} leave a doubt, {failed} failed and {unknown} cannot be made with these data.",
        "Van {all} controles zijn er {passed} geslaagd, laten er {doubt} twijfel, zijn er {failed} mislukt en zijn er {unknown} met deze gegevens niet te doen.",
        "Sur {all} vérifications, {passed} sont réussies, {doubt} laissent un doute, {failed} ont échoué et {unknown} sont impossibles avec ces données.",
    ),
    "calendar.public": ("public holidays of {where}", "feestdagen van {where}", "jours fériés de {where}"),
    "calendar.no_public": ("no public holidays known", "geen feestdagen bekend", "aucun jour férié connu"),
    "calendar.table": (
        "school holidays from a table",
        "schoolvakanties uit een tabel",
        "vacances scolaires d'un tableau",
    ),
    "calendar.usual": (
        "school holidays only as high summer and New Year",
        "schoolvakanties alleen als hoogzomer en Nieuwjaar",
        "vacances scolaires seulement comme plein été et Nouvel An",
    ),
    "fact.days": (
        "{days} days, from {first} to {last}",
        "{days} dagen, van {first} tot {last}",
        "{days} jours, du {first} au {last}",
    ),
    "foot.source": ("Counts: {source}", "Tellingen: {source}", "Comptages : {source}"),
    "foot.no_source": (
        "Counts: source and licence were not given.",
        "Tellingen: bron en licentie zijn niet opgegeven.",
        "Comptages : source et licence non indiquées.",
    ),
    "finding.times": ("{kind}, {times} times", "{kind}, {times} keer", "{kind}, {times} fois"),
    "head.days_counted": ("Days", "Dagen", "Jours"),
    "head.one_sensor": ("1 street", "1 straat", "1 rue"),
    "head.n_sensors": ("{n} streets", "{n} straten", "{n} rues"),
    "plan.cell": ("{power}, from {detectable}", "{power}, vanaf {detectable}", "{power}, dès {detectable}"),
    "plan.note": (
        "In each cell: how often an effect of {wanted} is seen, then the smallest change that is seen four times out of five.",
        "In elk vak: hoe vaak een effect van {wanted} te zien is, dan de kleinste verandering die vier van de vijf keer te zien is.",
        "Dans chaque case : combien de fois un effet de {wanted} se voit, puis le plus petit changement qui se voit quatre fois sur cinq.",
    ),
    "note.level": (
        "Observed and expected: crossings on a comparable day, {hours}.",
        "Waargenomen en verwacht: passages op een vergelijkbare dag, {hours}.",
        "Observé et attendu : passages un jour comparable, {hours}.",
    ),
    "note.flows": (
        "Crossings on a comparable day, {hours}; below zero, fewer than expected.",
        "Passages op een vergelijkbare dag, {hours}; onder nul minder dan verwacht.",
        "Passages un jour comparable, {hours} ; sous zéro, moins qu'attendu.",
    ),
    "fact.not_counted": (
        "{names} (not in the counts: {missing})",
        "{names} (niet in de tellingen: {missing})",
        "{names} (absentes des comptages : {missing})",
    ),
    "plan.method": (
        (
            "The model is that of the evaluation, without counts: streets that move more or less, in one way or another, each as "
            "likely as published measurements of streets say. Noise of counting shrinks with weeks, the movement of streets "
            "hardly does: more streets help more than more weeks."
        ),
        (
            "Het model is dat van de evaluatie, zonder tellingen: straten die meer of minder bewegen, op deze of gene manier, elk "
            "zo waarschijnlijk als gepubliceerde metingen van straten zeggen. Telruis wordt kleiner met weken, de beweging van "
            "straten nauwelijks: meer straten helpen meer dan meer weken."
        ),
        (
            "Le modèle est celui de l'évaluation, sans comptages : des rues qui bougent plus ou moins, d'une façon ou d'une autre, "
            "chacune aussi probable que le disent des mesures publiées. Le bruit du comptage diminue avec les semaines, le "
            "mouvement des rues presque pas : plus de rues aident davantage que plus de semaines."
        ),
    ),
    "title.wanted": ("What is wanted", "Wat gewenst is", "Ce qui est voulu"),
    "head.why": ("Why", "Waarom", "Pourquoi"),
    "plan.reading": (
        (
            "How often the wanted effect is seen and, behind “from”, the smallest change that is seen four times out of five; "
            "weeks before, and as many after."
        ),
        (
            "Hoe vaak het gewenste effect te zien is en, achter “vanaf”, de kleinste verandering die vier van de vijf keer te "
            "zien is; weken ervoor, en evenveel erna."
        ),
        (
            "Combien de fois l'effet voulu se voit et, derrière « dès », le plus petit changement qui se voit quatre fois sur "
            "cinq ; semaines avant, et autant après."
        ),
    ),
    "fact.date": ("Date of the measure", "Datum van de maatregel", "Date de la mesure"),
    "fact.before": ("Before", "Ervoor", "Avant"),
    "fact.transition": ("Days of transition", "Dagen van overgang", "Jours de transition"),
    "fact.after": ("After", "Erna", "Après"),
    "fact.treated": ("Streets with the measure", "Straten met de maatregel", "Rues avec la mesure"),
    "fact.boundary": ("Streets on the boundary", "Straten op de rand", "Rues en bordure"),
    "fact.controls": ("Control streets", "Controlestraten", "Rues témoins"),
    "fact.calendar": ("Calendar", "Kalender", "Calendrier"),
    "fact.plan": (
        "{per_day} a day on one street, wanted effect {wanted}, {controls} control streets",
        "{per_day} per dag in één straat, gewenst effect {wanted}, {controls} controlestraten",
        "{per_day} par jour dans une rue, effet voulu {wanted}, {controls} rues témoins",
    ),
    "head.street": ("Street", "Straat", "Rue"),
    "head.observed": ("Observed", "Waargenomen", "Observé"),
    "head.expected": ("Expected", "Verwacht", "Attendu"),
    "head.change": ("Change", "Verandering", "Changement"),
    "head.interval": ("95 % interval", "95%-interval", "Intervalle à 95 %"),
    "head.chance": ("By chance in", "Door toeval in", "Par hasard dans"),
    "head.detectable": ("Smallest fall seen", "Kleinste zichtbare daling", "Plus petite baisse visible"),
    "head.days": ("Days before / after", "Dagen voor / na", "Jours avant / après"),
    "head.area": ("Together", "Samen", "Ensemble"),
    "note.together": (
        "All streets together are judged at once: what they have in common counts, so the last row is not the sum of the others.",
        "Alle straten samen worden in één keer beoordeeld: wat ze gemeen hebben telt mee, dus de laatste rij is niet de som van de andere.",
        "Toutes les rues ensemble sont jugées d'un coup : ce qu'elles ont en commun compte, la dernière ligne n'est donc pas la somme des autres.",
    ),
    "head.mean": ("On average", "Gemiddeld", "En moyenne"),
    "head.check": ("Check", "Controle", "Vérification"),
    "head.verdict": ("Verdict", "Oordeel", "Verdict"),
    "head.found": ("What it found", "Wat het vond", "Ce qu'elle a trouvé"),
    "head.first": ("From", "Van", "Du"),
    "head.last": ("To", "Tot", "Au"),
    "head.finding": ("Finding", "Bevinding", "Constat"),
    "head.action": ("What was done", "Wat is gedaan", "Ce qui a été fait"),
    "head.where": ("Where", "Waar", "Où"),
    "head.per_day": ("Crossings a day", "Passages per dag", "Passages par jour"),
    "head.weeks": ("Weeks before and after", "Weken voor en na", "Semaines avant et après"),
    "head.power": ("How often seen", "Hoe vaak gezien", "Combien de fois vu"),
    "flow.treated": ("Streets with the measure", "Straten met de maatregel", "Rues avec la mesure"),
    "flow.boundary": ("Streets on the boundary", "Straten op de rand", "Rues en bordure"),
    "flow.balance": (
        "Together: below zero, it evaporated",
        "Samen: onder nul is het verdampt",
        "Ensemble : sous zéro, il s'est évaporé",
    ),
    "short.silent": ("silent", "stil", "muet"),
    "short.dead_channel": ("one class dead", "één klasse dood", "une classe morte"),
    "short.moved": ("moved", "verplaatst", "déplacé"),
    "short.new_instance": ("new installation", "nieuwe installatie", "nouvelle installation"),
    "short.learning": ("still learning", "leert nog", "apprend encore"),
    "short.class_drift": ("classes drift", "klassen verschuiven", "classes dérivent"),
    "short.gain_drift": ("view changed", "beeld veranderd", "vue changée"),
    "short.low_uptime": ("low uptime", "weinig uptime", "peu d'uptime"),
    "short.gap": ("gap", "gat", "trou"),
    "short.marked": ("marked", "gemarkeerd", "marqué"),
    "action.left out": ("left out", "weggelaten", "laissé de côté"),
    "action.history cut": ("nothing before it is used", "niets ervoor is gebruikt", "rien d'avant n'est utilisé"),
    "action.warning": ("used, but said", "gebruikt, maar gezegd", "utilisé, mais signalé"),
    "verdict.yes": ("No check failed.", "Geen controle is mislukt.", "Aucune vérification n'a échoué."),
    "verdict.no": (
        "At least one check failed: do not quote the number without it.",
        "Minstens één controle is mislukt: citeer het getal niet zonder dit te zeggen.",
        "Au moins une vérification a échoué : ne citez pas le chiffre sans le dire.",
    ),
    "chart.observed": ("observed", "waargenomen", "observé"),
    "chart.expected": ("expected without the measure", "verwacht zonder de maatregel", "attendu sans la mesure"),
    "chart.change_relative": ("change, %", "verandering, %", "changement, %"),
    "chart.change_points": (
        "change, percentage points",
        "verandering, procentpunt",
        "changement, points de pourcentage",
    ),
    "chart.change_km/h": ("change, km/h", "verandering, km/h", "changement, km/h"),
    "title.by_hour": ("Hour by hour: {where}", "Per uur: {where}", "Heure par heure : {where}"),
    "title.by_direction": (
        "One way and the other: {where}",
        "De ene en de andere kant op: {where}",
        "Dans un sens et dans l'autre : {where}",
    ),
    "title.by_speed": (
        "How the speeds shifted: share of cars that drive faster, {where}",
        "Hoe de snelheden verschoven: aandeel auto's dat sneller rijdt, {where}",
        "Comment les vitesses ont changé : part des voitures plus rapides, {where}",
    ),
    "head.part": ("Part", "Deel", "Partie"),
    "part.hour": ("{first} to {last} h", "{first} tot {last} uur", "{first} à {last} h"),
    "part.lft": ("from A to B", "van A naar B", "de A vers B"),
    "part.rgt": ("from B to A", "van B naar A", "de B vers A"),
    "part.speed": ("above {limit} km/h", "boven {limit} km/h", "au-dessus de {limit} km/h"),
    "chart.compared": ("compared days", "vergeleken dagen", "jours comparés"),
    "chart.measure": ("measure", "maatregel", "mesure"),
    "axis.relative": ("per comparable day", "per vergelijkbare dag", "par jour comparable"),
    "axis.km/h": ("km/h", "km/h", "km/h"),
    "axis.points": ("share", "aandeel", "part"),
    "chart.weeks": (
        "weeks before, and as many after",
        "weken ervoor, en evenveel erna",
        "semaines avant, et autant après",
    ),
    "chart.power": ("seen, % of cases", "gezien, % van de gevallen", "vu, % des cas"),
    "foot.hash": (
        "Inputs of “{question}”, SHA-256: {sha}",
        "Invoer van “{question}”, SHA-256: {sha}",
        "Données de « {question} », SHA-256 : {sha}",
    ),
    "foot.version": (
        "Made with Telstraat {version}. Same inputs, same answer. How it is computed: docs/evaluation.md.",
        "Gemaakt met Telstraat {version}. Zelfde invoer, zelfde antwoord. Hoe het is berekend: docs/evaluation.md.",
        "Fait avec Telstraat {version}. Mêmes données, même réponse. Comment c'est calculé : docs/evaluation.md.",
    ),
    "foot.plan": (
        "From how streets of this kind were seen to move; your own street may be calmer or wilder.",
        "Naar hoe straten van deze soort bleken te bewegen; uw eigen straat kan rustiger of wilder zijn.",
        "D'après la façon dont des rues de ce genre ont bougé ; la vôtre peut être plus calme ou plus agitée.",
    ),
}
"""Every key with its English, Dutch and French text."""
