-- PostHog's tables as a new installation on one server has them: nothing is left for the migrations to do.
CREATE DATABASE posthog ENGINE = Atomic;

CREATE TABLE posthog.events (
    uuid UUID, event String, properties String CODEC(ZSTD(3)), timestamp DateTime64(6, 'UTC'), team_id Int64, distinct_id String, elements_chain String, created_at DateTime64(6, 'UTC'),
    person_id UUID, person_created_at DateTime64, person_properties String CODEC(ZSTD(3)),
    group0_properties String CODEC(ZSTD(3)), group1_properties String CODEC(ZSTD(3)), group2_properties String CODEC(ZSTD(3)), group3_properties String CODEC(ZSTD(3)), group4_properties String CODEC(ZSTD(3)),
    group0_created_at DateTime64, group1_created_at DateTime64, group2_created_at DateTime64, group3_created_at DateTime64, group4_created_at DateTime64,
    `$group_0` String MATERIALIZED replaceRegexpAll(JSONExtractRaw(properties, '$group_0'), '^"|"$', ''),
    _timestamp DateTime, _offset UInt64,
    INDEX kafka_timestamp_minmax_events _timestamp TYPE minmax GRANULARITY 3
) ENGINE = ReplacingMergeTree(_timestamp) PARTITION BY toYYYYMM(timestamp) ORDER BY (team_id, toDate(timestamp), event, cityHash64(distinct_id), cityHash64(uuid)) SAMPLE BY cityHash64(distinct_id);

CREATE TABLE posthog.person (id UUID, created_at DateTime64, team_id Int64, properties String CODEC(ZSTD(3)), is_identified Int8, is_deleted Int8 DEFAULT 0, version UInt64, _timestamp DateTime, _offset UInt64) ENGINE = ReplacingMergeTree(version) ORDER BY (team_id, id);

CREATE TABLE posthog.person_distinct_id2 (team_id Int64, distinct_id String COMMENT 'skip_0003_fill_person_distinct_id2', person_id UUID, is_deleted Int8, version Int64 DEFAULT 1, _timestamp DateTime, _offset UInt64, _partition UInt64) ENGINE = ReplacingMergeTree(version) ORDER BY (team_id, distinct_id);

CREATE TABLE posthog.groups (group_type_index UInt8, group_key String, created_at DateTime64, team_id Int64, group_properties String, _timestamp DateTime, _offset UInt64) ENGINE = ReplacingMergeTree(_timestamp) ORDER BY (team_id, group_type_index, group_key);
