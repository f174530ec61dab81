-- PostHog's tables before its first async migration, on one server. Tables of Kafka are Null here: what is written to them goes the same way.
CREATE DATABASE posthog ENGINE = Atomic;

CREATE TABLE posthog.kafka_events (uuid UUID, event String, properties String, timestamp DateTime64(6, 'UTC'), team_id Int64, distinct_id String, elements_chain String, created_at DateTime64(6, 'UTC'), _timestamp DateTime, _offset UInt64) ENGINE = Null;

CREATE TABLE posthog.events (
    uuid UUID, event String, properties String, timestamp DateTime64(6, 'UTC'), team_id Int64, distinct_id String, elements_chain String, created_at DateTime64(6, 'UTC'),
    `$group_0` String MATERIALIZED replaceRegexpAll(JSONExtractRaw(properties, '$group_0'), '^"|"$', ''),
    `$window_id` String MATERIALIZED replaceRegexpAll(JSONExtractRaw(properties, '$window_id'), '^"|"$', ''),
    `$session_id` String MATERIALIZED replaceRegexpAll(JSONExtractRaw(properties, '$session_id'), '^"|"$', ''),
    _timestamp DateTime, _offset UInt64
) ENGINE = ReplacingMergeTree(_timestamp) PARTITION BY toYYYYMM(timestamp) ORDER BY (team_id, toDate(timestamp), distinct_id, uuid);

CREATE MATERIALIZED VIEW posthog.events_mv TO posthog.events AS SELECT uuid, event, properties, timestamp, team_id, distinct_id, elements_chain, created_at, _timestamp, _offset FROM posthog.kafka_events;

CREATE TABLE posthog.kafka_person (id UUID, created_at DateTime64, team_id Int64, properties String, is_identified Int8, is_deleted Int8, version UInt64, _timestamp DateTime, _offset UInt64) ENGINE = Null;

CREATE TABLE posthog.person (id UUID, created_at DateTime64, team_id Int64, properties String, is_identified Int8, is_deleted Int8 DEFAULT 0, version UInt64, _timestamp DateTime, _offset UInt64) ENGINE = ReplacingMergeTree(_timestamp) ORDER BY (team_id, id);

CREATE MATERIALIZED VIEW posthog.person_mv TO posthog.person AS SELECT id, created_at, team_id, properties, is_identified, is_deleted, version, _timestamp, _offset FROM posthog.kafka_person;

CREATE TABLE posthog.person_distinct_id (distinct_id String, person_id UUID, team_id Int64, _sign Int8 DEFAULT 1, is_deleted Int8 ALIAS if(_sign = -1, 1, 0), _timestamp DateTime, _offset UInt64) ENGINE = CollapsingMergeTree(_sign) ORDER BY (team_id, distinct_id, person_id);

CREATE TABLE posthog.person_distinct_id2 (team_id Int64, distinct_id String, person_id UUID, is_deleted Int8, version Int64 DEFAULT 1, _timestamp DateTime, _offset UInt64, _partition UInt64) ENGINE = ReplacingMergeTree(version) ORDER BY (team_id, distinct_id);

CREATE TABLE posthog.groups (group_type_index UInt8, group_key String, created_at DateTime64, team_id Int64, group_properties String, _timestamp DateTime, _offset UInt64) ENGINE = ReplacingMergeTree(_timestamp) ORDER BY (team_id, group_type_index, group_key);

CREATE TABLE posthog.events_dead_letter_queue (id UUID, event_uuid UUID, event String, error String, now DateTime64(6, 'UTC'), _timestamp DateTime, _offset UInt64) ENGINE = ReplacingMergeTree(_timestamp) ORDER BY (id, event_uuid, error);

CREATE TABLE posthog.session_recording_events (uuid UUID, timestamp DateTime64(6, 'UTC'), team_id Int64, distinct_id String, session_id String, snapshot_data String, created_at DateTime64(6, 'UTC'), _timestamp DateTime, _offset UInt64) ENGINE = ReplacingMergeTree(_timestamp) PARTITION BY toYYYYMMDD(timestamp) ORDER BY (team_id, toHour(timestamp), session_id, timestamp, uuid);
