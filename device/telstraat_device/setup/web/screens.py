"""The five screens: network, aim, street, account, test."""

from __future__ import annotations

import json
import threading

import msgspec
from starlette.responses import JSONResponse, Response

from telstraat_contract.languages import gettext_noop
from telstraat_device.errors import NetworkError, SetupError, TownAwayError
from telstraat_device.setup.network.wifi import checked_wifi
from telstraat_device.setup.progress import AimedView, ChosenStreet
from telstraat_device.setup.site import BAD_LINE, NAME_MAX, SetupSite
from telstraat_device.setup.street_map import draw
from telstraat_device.setup.town import StreetFeature
from telstraat_device.setup.web.page import Visit, go_to

LISTED = 12
CLASS_NAMES = {
    "pedestrian": gettext_noop("Somebody on foot"),
    "bicycle": gettext_noop("A bicycle"),
    "motorcycle": gettext_noop("A motorcycle"),
    "car": gettext_noop("A car"),
    "heavy": gettext_noop("A heavy vehicle"),
}


class Screens:
    """What each screen shows, and what becomes of its form."""

    def __init__(self, site: SetupSite) -> None:
        self.site = site

    def network(self, visit: Visit, error: SetupError | None = None) -> Response:
        """Show the networks that can be seen."""
        reachable = self.site.reachable
        try:
            networks = self.site.network.visible()
            can_choose = True
        except NetworkError:
            networks, can_choose = [], False
        return visit.page(
            "network.html",
            error=error or reachable.trouble,
            networks=networks,
            can_choose=can_choose,
            reach=reachable.reach,
        )

    def join(self, visit: Visit) -> Response:
        """Join a network; a phone in our own network loses us meanwhile, so the answer goes out first."""
        ssid = visit.form.get("other", "").strip() or visit.form.get("ssid", "")
        key = visit.form.get("key", "")
        if not ssid:
            self.site.pass_network()
            return go_to("/aim")
        try:
            checked_wifi(ssid, key)
        except NetworkError as error:
            return self.network(visit, error)
        self.site.pass_network()
        threading.Timer(1.0, self.site.reachable.join, (ssid, key)).start()
        return visit.page("joining.html", ssid=ssid)

    def aim(self, visit: Visit, error: SetupError | None = None) -> Response:
        """Show the picture once it is opened, with line and masks over it."""
        return visit.page("aim.html", error=error, view=self.site.progress.view)

    def open_picture(self, visit: Visit) -> Response:
        """Open the picture for this phone."""
        view = self.site.progress.view
        self.site.desk.aim(visit.owner, view)
        return JSONResponse(msgspec.to_builtins(view))

    def turn(self, visit: Visit) -> Response:
        """Look with another rotation."""
        self.site.desk.turn_to(visit.owner, view_of(visit.form.get("view", "")))
        return Response(status_code=204)

    def picture(self, visit: Visit) -> Response:
        """Return the picture of now, with what is tracked in it: to the phone that opened it, and not stored anywhere."""
        desk = self.site.desk
        picture = desk.picture(visit.owner)
        if picture is None:
            return JSONResponse({"trouble": desk.trouble(visit.owner)}, 202)
        boxes = [[round(value, 3) for value in (box.x, box.y, box.w, box.h)] for box in picture.boxes]
        headers = {
            "telstraat-tracked": json.dumps(boxes),
            "telstraat-left": str(round(picture.left_s)),
            "cache-control": "no-store",
        }
        return Response(picture.jpeg, media_type="image/jpeg", headers=headers)

    def keep_aim(self, visit: Visit) -> Response:
        """Keep line, masks and rotation; the picture ends."""
        try:
            self.site.keep_view(view_of(visit.form.get("view", "")))
        except SetupError as error:
            return self.aim(visit, error)
        self.site.desk.end()
        return go_to("/street")

    def street(self, visit: Visit, error: SetupError | None = None) -> Response:
        """Show the town's streets, or the one that was chosen with its two directions."""
        site = self.site
        query = visit.request.query_params.get("q", "").strip()[:NAME_MAX]
        streets: tuple[StreetFeature, ...] = ()
        if site.town_address:
            try:
                streets = site.streets()
            except SetupError as away:
                error = error or away
        number = visit.request.query_params.get("segment", "")
        segment_id = int(number) if number.isascii() and number.isdigit() and len(number) < 19 else None
        chosen = next((item for item in streets if item.properties.segment_id == segment_id), None)
        matches = [
            item.properties for item in streets if query and query.casefold() in (item.properties.name or "").casefold()
        ]
        return visit.page(
            "street.html",
            error=error,
            query=query,
            matches=sorted(matches, key=lambda item: item.name or "")[:LISTED],
            more=max(0, len(matches) - LISTED),
            has_list=bool(streets),
            town=site.town_address,
            chosen=None if chosen is None else chosen.properties,
            map=None if chosen is None else draw(streets, chosen.properties.segment_id),
            street=site.progress.street,
            view=site.progress.view,
        )

    def keep_street(self, visit: Visit) -> Response:
        """Keep the stretch of street, and what its directions are called."""
        if "town" in visit.form:
            try:
                self.site.keep_town(visit.form["town"])
            except SetupError as error:
                return self.street(visit, error)
            return go_to("/street")
        number = visit.form.get("segment", "")
        named = {key: " ".join(visit.form.get(key, "").split())[:NAME_MAX] for key in ("name", "to_b", "to_a")}
        self.site.keep_street(
            ChosenStreet(
                segment_id=int(number) if number.isascii() and number.isdigit() and len(number) < 19 else None,
                flip=visit.form.get("arrow", "b") == "a",
                **named,
            )
        )
        return go_to("/account")

    def account(self, visit: Visit, error: SetupError | None = None) -> Response:
        """Ask for the claim code, or say that the town knows the sensor."""
        return visit.page(
            "account.html",
            error=error,
            sensor=self.site.sensor,
            town=self.site.town_address,
            known_code=self.site.code if not self.site.progress.enrolled else "",
            waits=self.site.waits_for_town,
            enrolled=self.site.progress.enrolled,
        )

    def enrol(self, visit: Visit) -> Response:
        """Exchange the claim code."""
        if self.site.progress.enrolled:
            return go_to("/test")
        try:
            if visit.form.get("town"):
                self.site.keep_town(visit.form["town"])
            self.site.enrol(visit.form.get("sensor", ""), visit.form.get("code", ""))
        except TownAwayError as error:
            return self.account(visit, error)
        except SetupError as error:
            return self.account(visit, error)
        return go_to("/account")

    def test(self, visit: Visit, error: SetupError | None = None) -> Response:
        """Ask somebody to walk past."""
        progress = self.site.progress
        return visit.page(
            "test.html",
            error=error,
            street=progress.street,
            enrolled=progress.enrolled,
            has_line=progress.view.line is not None,
            waits=self.site.waits_for_town,
        )

    def open_test(self, visit: Visit) -> Response:
        """Begin to count for a walk past the window."""
        if self.site.progress.view.line is None:
            raise SetupError(BAD_LINE)
        self.site.desk.test(visit.owner, self.site.progress.view)
        return Response(status_code=204)

    def crossings(self, visit: Visit) -> Response:
        """Return what has crossed the line since the test began."""
        street = self.site.progress.street
        total, latest = self.site.desk.crossings(visit.owner)
        shown_ones = [
            {
                "what": visit.say(CLASS_NAMES[crossing.class_name]),
                "class": crossing.class_name,
                "to": street.to_b if (crossing.direction == "left_to_right") != street.flip else street.to_a,
                "speed": None if crossing.speed_kmh is None else round(crossing.speed_kmh),
            }
            for crossing in latest
        ]
        return JSONResponse({"total": total, "latest": shown_ones, "trouble": self.site.desk.trouble(visit.owner)})

    def finish(self, visit: Visit) -> Response:
        """End set-up and begin to count."""
        try:
            self.site.finish()
        except SetupError as error:
            return self.test(visit, error)
        return go_to("/status")


def view_of(text: str) -> AimedView:
    """Return the view that a page sends."""
    try:
        return msgspec.json.decode(text, type=AimedView)
    except msgspec.DecodeError as error:
        raise SetupError(BAD_LINE) from error
