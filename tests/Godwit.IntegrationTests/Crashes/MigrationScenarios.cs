using Godwit.Fixtures;
using static Godwit.IntegrationTests.Crashes.RebuildScenarios;

namespace Godwit.IntegrationTests.Crashes;

/// <summary>Migrations whose operations are of every kind, and what undoes them.</summary>
internal static class MigrationScenarios
{
    private const string Migration = """
        name: crash
        description: SQL, a rebuild and SQL again
        operations:
          - sql:
              - CREATE TABLE {db}.made (id UInt64, n Int64) ENGINE = MergeTree ORDER BY id
              - INSERT INTO {db}.made SELECT id, n FROM {db}.t WHERE id < 300
            undo: DROP TABLE {db}.made SYNC
          - rebuild: {db}.t
            orderBy: (shard, id)
          - sql: ALTER TABLE {db}.t ADD COLUMN extra UInt8
            undo: ALTER TABLE {db}.t DROP COLUMN extra
        """;

    private const string Operations = """
        name: crash
        description: Every other kind of operation
        operations:
          - create: CREATE TABLE {db}.copied (id UInt64, shard UInt8, n Int64) ENGINE = MergeTree PARTITION BY shard ORDER BY id
          - copy: {db}.t
            to: {db}.copied
            key: id
            columns: { id: id, shard: shard, n: n }
            batchRows: 120
          - mutate: {db}.copied
            command: UPDATE n = n + 5 WHERE id % 2 = 0
            undo: UPDATE n = 1 WHERE 1
          - create: CREATE TABLE {db}.aside AS {db}.copied
          - movePartition: {db}.copied
            partition: "0"
            to: {db}.aside
          - dropPartition: {db}.copied
            partition: "1"
          - replacePartition: {db}.copied
            partition: "0"
            from: {db}.aside
          - create: CREATE MATERIALIZED VIEW {db}.watch TO {db}.aside AS SELECT id, shard, n FROM {db}.copied
          - detach: {db}.watch
          - compare: {db}.copied
            with: {db}.aside
          - drop: {db}.copied
        """;

    private static readonly string[] Kept = ["copied_godwit_{run}", "copied_godwit_{run}_k"];

    public static readonly CrashScenario[] All =
    [
        new("migration", ByKey, Nothing) { Migration = Migration, Meanwhile = Writers, Makes = ["made"] },
        new("operations", ByKey, Nothing) { Migration = Operations, HasWriters = false, Makes = ["aside"], Keeps = Kept },
        new("rollback of operations", ByKey, Nothing) { Migration = Operations, Verb = "rollback", HasWriters = false, Makes = ["aside"], Keeps = Kept },
        new("rollback of a migration", ByKey, Nothing) { Migration = Migration, Verb = "rollback", Before = Writers[..2], Meanwhile = WritersOfUndo },
    ];
}
