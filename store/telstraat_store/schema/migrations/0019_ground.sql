-- What maps show beneath the counted streets: water, green, rails, other streets, as an import found them.

create table ground (
    ground_id   bigint generated always as identity primary key,
    source      text not null,                       -- w7 is way 7 of OpenStreetMap, r7 relation 7
    kind        text not null,
    name        text not null default '',
    place       box not null,                        -- longitude and latitude, degrees
    size_m      real not null,                       -- length, or the root of the area: what is larger is drawn first
    fine        json not null,                       -- GeoJSON as it is sent, for a part of a town
    middle      json,                                -- for a town; null where it is too small
    coarse      json,                                -- for a region
    credit      text not null default ''             -- how to name where it comes from, below a map
);
create index ground_by_place on ground using gist (place);
create index ground_by_source on ground (source);
