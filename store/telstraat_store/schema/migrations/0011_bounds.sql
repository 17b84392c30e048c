-- What one stream may cost is bounded: of the ranges of lost reports the oldest are kept as a number only.
alter table stream add column lost_earlier bigint not null default 0;
