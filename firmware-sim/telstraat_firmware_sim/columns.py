"""The columns of the tables that the kernels read: road users of a frame, bodies, panels, numbers of the frame."""

from __future__ import annotations

# columns of meta
BODY, HEADING, T0, DT, FIRST_KNOT, KNOTS, TONE1, TONE2, SCALE, VARIANT, PHASE, NUMBER, FIXED = range(13)
META = 13
# columns of bodies
KIND, LENGTH, WIDTH, HEIGHT, SPRITE, PHASES, STRIDE, VARIANTS, FIRST_PANEL, PANELS, CABIN0, CABIN1, BELT = range(13)
BODY_COLUMNS = 13
WALKING, RIDING, DRIVING, STANDING = range(4)  # values of KIND
# columns of panels: place along and height of both ends, sprite, light in 256ths
PANEL_COLUMNS = 6
# columns of the frame's numbers
(SUN_X, SUN_Y, SHADE_LIGHT, CONTACT, AMBIENT, LAMP_GAIN, HEADLIGHTS, MIRRORS, RAIN, HOUSE_SHADE_Y, HOUSE_LIGHT,
 BEAM, HALO, FRAME, WIND) = range(15)  # fmt: skip
NUMBERS = 15
