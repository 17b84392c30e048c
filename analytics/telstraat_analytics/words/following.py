"""The words about a measure that is followed week by week, in English, Dutch and French."""

from __future__ import annotations

FOLLOWING_WORDS: dict[str, tuple[str, str, str]] = {
    "follow.subject": (
        "{name}: news after {weeks} weeks",
        "{name}: nieuws na {weeks} weken",
        "{name} : du nouveau après {weeks} semaines",
    ),
    "follow.fell": (
        "{subject}: {size} less than expected ({low} to {high}), {weeks} weeks after {date}.",
        "{subject}: {size} minder dan verwacht ({low} tot {high}), {weeks} weken na {date}.",
        "{subject} : {size} de moins qu'attendu ({low} à {high}), {weeks} semaines après le {date}.",
    ),
    "follow.rose": (
        "{subject}: {size} more than expected ({low} to {high}), {weeks} weeks after {date}.",
        "{subject}: {size} meer dan verwacht ({low} tot {high}), {weeks} weken na {date}.",
        "{subject} : {size} de plus qu'attendu ({low} à {high}), {weeks} semaines après le {date}.",
    ),
    "follow.unclear": (
        "{subject}: no change can be told from chance ({size}, between {low} and {high}), {weeks} weeks after {date}.",
        "{subject}: geen verandering die van toeval te onderscheiden is ({size}, tussen {low} en {high}), {weeks} weken na {date}.",
        "{subject} : aucun changement ne se distingue du hasard ({size}, entre {low} et {high}), {weeks} semaines après le {date}.",
    ),
    "follow.no_answer": (
        "{subject}: no answer {weeks} weeks after {date}: {reasons}.",
        "{subject}: geen antwoord {weeks} weken na {date}: {reasons}.",
        "{subject} : pas de réponse {weeks} semaines après le {date} : {reasons}.",
    ),
    "follow.fades": (
        "The effect fades: the second half of the time since then shows less of it than the first.",
        "Het effect neemt af: de tweede helft van de tijd sindsdien laat er minder van zien dan de eerste.",
        "L'effet s'estompe : la seconde moitié du temps écoulé en montre moins que la première.",
    ),
    "follow.grows": (
        "The effect grows: the second half of the time since then shows more of it than the first.",
        "Het effect groeit: de tweede helft van de tijd sindsdien laat er meer van zien dan de eerste.",
        "L'effet grandit : la seconde moitié du temps écoulé en montre davantage que la première.",
    ),
    "follow.boundary.rose": (
        "{where}, beside it: {size} more than expected in the hours seen on both sides ({low} to {high}), {weeks} weeks after {date}. Traffic may have moved there.",
        "{where}, ernaast: {size} meer dan verwacht in de uren die aan beide kanten zijn gezien ({low} tot {high}), {weeks} weken na {date}. Het verkeer kan daarheen verhuisd zijn.",
        "{where}, à côté : {size} de plus qu'attendu aux heures vues des deux côtés ({low} à {high}), {weeks} semaines après le {date}. Le trafic s'y est peut-être déplacé.",
    ),
    "follow.boundary.fell": (
        "{where}, beside it: {size} less than expected in the hours seen on both sides ({low} to {high}), {weeks} weeks after {date}.",
        "{where}, ernaast: {size} minder dan verwacht in de uren die aan beide kanten zijn gezien ({low} tot {high}), {weeks} weken na {date}.",
        "{where}, à côté : {size} de moins qu'attendu aux heures vues des deux côtés ({low} à {high}), {weeks} semaines après le {date}.",
    ),
    "follow.boundary.unclear": (
        "{where}, beside it: no change can be told from chance ({size}, between {low} and {high}) in the hours seen on both sides, {weeks} weeks after {date}.",
        "{where}, ernaast: geen verandering die van toeval te onderscheiden is ({size}, tussen {low} en {high}) in de uren die aan beide kanten zijn gezien, {weeks} weken na {date}.",
        "{where}, à côté : aucun changement ne se distingue du hasard ({size}, entre {low} et {high}) aux heures vues des deux côtés, {weeks} semaines après le {date}.",
    ),
    "follow.looks": (
        "These intervals hold however often one looks: they are wider than those of an evaluation that is made once.",
        "Deze intervallen gelden hoe vaak men ook kijkt: ze zijn breder dan die van een evaluatie die één keer wordt gemaakt.",
        "Ces intervalles valent aussi souvent qu'on regarde : ils sont plus larges que ceux d'une évaluation faite une fois.",
    ),
    "follow.until": (
        "The measure is looked at every week until {date}, {weeks} weeks after it began.",
        "De maatregel wordt elke week bekeken tot {date}, {weeks} weken na het begin.",
        "La mesure est examinée chaque semaine jusqu'au {date}, {weeks} semaines après son début.",
    ),
    "follow.last": (
        "This is the last letter: weekly looks end {weeks} weeks after a measure began, here on {date}. It can be evaluated at any time.",
        "Dit is de laatste brief: de wekelijkse blik eindigt {weeks} weken na het begin, hier op {date}. Evalueren kan altijd.",
        "Ceci est la dernière lettre : l'examen hebdomadaire s'arrête {weeks} semaines après le début, ici le {date}. Une évaluation reste toujours possible.",
    ),
    "follow.why": (
        "You follow this measure on {site}. A letter comes only when something has changed.",
        "U volgt deze maatregel op {site}. Er komt alleen een brief als er iets veranderd is.",
        "Vous suivez cette mesure sur {site}. Une lettre ne vient que si quelque chose a changé.",
    ),
    "follow.stop": ("No more letters: {link}", "Geen brieven meer: {link}", "Plus de lettres : {link}"),
    "follow.stop_title": ("No more letters", "Geen brieven meer", "Plus de lettres"),
    "follow.stop_ask": (
        "Do you want no more letters about this measure?",
        "Wilt u geen brieven meer over deze maatregel?",
        "Ne voulez-vous plus de lettres sur cette mesure ?",
    ),
    "follow.stopped": (
        "You get no more letters about this measure.",
        "U krijgt geen brieven meer over deze maatregel.",
        "Vous ne recevrez plus de lettres sur cette mesure.",
    ),
    "follow.spent": (
        "This link has done its work: no letters come from where it was.",
        "Deze link heeft zijn werk gedaan: van waar hij stond, komen geen brieven meer.",
        "Ce lien a fait son travail : plus de lettres ne viennent de là où il était.",
    ),
}
"""Every key with its English, Dutch and French text."""
