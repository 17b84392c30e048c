"""The columns of the tables that the kernels read and write: road users, bodies, panels, boards, numbers of a frame."""

from __future__ import annotations

# meta: one row a road user
BODY, HEADING, T0, DT, FIRST_KNOT, KNOTS, TONE1, TONE2, SCALE, VARIANT, PHASE, NUMBER, FIXED = range(13)
META = 13
# bodies: one row a kind
KIND, LENGTH, WIDTH, HEIGHT, SPRITE, PHASES, STRIDE, VARIANTS, FIRST_PANEL, PANELS, CABIN0, CABIN1, BELT = range(13)
BODY_COLUMNS = 13
WALKING, RIDING, MOTORING, DRIVING, STANDING = range(5)  # values of KIND
# panels: place along and height of both ends, sprite, light in 256ths
PANEL_COLUMNS = 6
# boards: one row a board to paint; origin, along and down in metres
OX, OY, OZ, AX, AY, AZ, DX, DY, DZ, WHICH, MODE, PAINT1, PAINT2, LIGHT, OWNER = range(15)
BOARD_COLUMNS = 15
BOARDS_MAX = 4096
# values of MODE; floats, so that the kernels are compiled once and not for every constant
PAINT = 0.0  # weighted by the texel's alpha
SHADE = 1.0  # darkens what is there, at most once a frame and pixel
GLOW = 2.0  # adds light
MIRROR = 3.0  # blends weakly: reflections on a wet road
SHADE_GROUND = 4.0  # darkens a convex polygon: WHICH is a row of grounds
# grounds: one row a polygon on the ground: how many corners, then their x and y in metres
GROUND_CORNERS = 12
GROUND_COLUMNS = 1 + 2 * GROUND_CORNERS
# numbers of one frame
(SUN_X, SUN_Y, SHADE_LIGHT, CONTACT, AMBIENT, LAMP_GAIN, HEADLIGHTS, MIRRORS, HOUSE_SHADE_Y, HOUSE_LIGHT,
 BEAM, HALO, WIND) = range(13)  # fmt: skip
NUMBERS = 13
