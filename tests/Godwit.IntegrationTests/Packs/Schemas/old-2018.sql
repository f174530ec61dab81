-- PostHog's tables before they were replicated, as a ClickHouse of 2018 can have them. Tables of Kafka are Null here: what is written to them goes the same way.
CREATE DATABASE posthog;

CREATE TABLE posthog.kafka_events (uuid String, event String, properties String, timestamp DateTime, team_id Int64, distinct_id String, elements_chain String, created_at DateTime, _timestamp DateTime, _offset UInt64) ENGINE = Null;

CREATE TABLE posthog.events (
    uuid String, event String, properties String, timestamp DateTime, team_id Int64, distinct_id String, elements_chain String, created_at DateTime,
    `$session_id` String MATERIALIZED visitParamExtractString(properties, '$session_id'), _timestamp DateTime, _offset UInt64
) ENGINE = ReplacingMergeTree(_timestamp) PARTITION BY toYYYYMM(timestamp) ORDER BY (team_id, toDate(timestamp), event, cityHash64(distinct_id), cityHash64(uuid)) SAMPLE BY cityHash64(distinct_id);

CREATE MATERIALIZED VIEW posthog.events_mv TO posthog.events AS SELECT uuid, event, properties, timestamp, team_id, distinct_id, elements_chain, created_at, _timestamp, _offset FROM posthog.kafka_events;

CREATE TABLE posthog.kafka_person (id String, created_at DateTime, team_id Int64, properties String, version UInt64, _timestamp DateTime, _offset UInt64) ENGINE = Null;

CREATE TABLE posthog.person (id String, created_at DateTime, team_id Int64, properties String, version UInt64, _timestamp DateTime, _offset UInt64) ENGINE = ReplacingMergeTree(_timestamp) ORDER BY (team_id, id);

CREATE MATERIALIZED VIEW posthog.person_mv TO posthog.person AS SELECT id, created_at, team_id, properties, version, _timestamp, _offset FROM posthog.kafka_person;

CREATE TABLE posthog.session_recording_events (uuid String, timestamp DateTime, team_id Int64, distinct_id String, snapshot_data String, _timestamp DateTime, _offset UInt64) ENGINE = ReplacingMergeTree(_timestamp) PARTITION BY toYYYYMMDD(timestamp) ORDER BY (team_id, toHour(timestamp), timestamp, uuid);

CREATE TABLE posthog.events_dead_letter_queue (id String, event String, _timestamp DateTime) ENGINE = ReplacingMergeTree(_timestamp) ORDER BY id;

CREATE TABLE posthog.groups (group_type_index UInt8, group_key String, team_id Int64, group_properties String, _timestamp DateTime) ENGINE = ReplacingMergeTree(_timestamp) ORDER BY (team_id, group_type_index, group_key);

CREATE TABLE posthog.person_distinct_id2 (team_id Int64, distinct_id String, person_id String, version Int64, _timestamp DateTime) ENGINE = ReplacingMergeTree(version) ORDER BY (team_id, distinct_id);

CREATE TABLE posthog.plugin_log_entries (id String, team_id Int64, timestamp DateTime, message String, _timestamp DateTime) ENGINE = ReplacingMergeTree(_timestamp) PARTITION BY toYYYYMMDD(timestamp) ORDER BY (team_id, timestamp, id);

CREATE TABLE posthog.cohortpeople (person_id String, cohort_id Int64, team_id Int64, sign Int8) ENGINE = CollapsingMergeTree(sign) ORDER BY (team_id, cohort_id, person_id);

CREATE TABLE posthog.person_static_cohort (id String, person_id String, cohort_id Int64, team_id Int64, _timestamp DateTime) ENGINE = ReplacingMergeTree(_timestamp) ORDER BY (team_id, cohort_id, person_id, id);
