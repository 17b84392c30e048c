"""What pages call the states of a period and the roles of people, and which classes make the modal split."""

from __future__ import annotations

from telstraat_api.http.access import Role
from telstraat_contract.languages import gettext_noop
from telstraat_contract.road_users import CLASSES
from telstraat_store.counts.states import State

SPLIT = CLASSES
"""The classes of the modal split: what passes at night unclassified belongs to none."""

STATE_NAMES = {
    State.COUNTED: gettext_noop("counted"),
    State.MISSING: gettext_noop("nobody watched"),
    State.WITHHELD: gettext_noop("counted, not shown"),
    State.NOT_YET: gettext_noop("not yet"),
}
ROLE_NAMES = {
    Role.PUBLIC: gettext_noop("Visitor"),
    Role.CITIZEN: gettext_noop("Citizen"),
    Role.PROFESSIONAL: gettext_noop("Mobility officer or facilitator"),
    Role.OPERATOR: gettext_noop("Operator"),
}
