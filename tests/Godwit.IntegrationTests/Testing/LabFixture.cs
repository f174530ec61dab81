using Godwit.Testing;
using Xunit;

namespace Godwit.IntegrationTests.Testing;

/// <summary>One lab for all tests of the kit, which take turns.</summary>
public sealed class LabFixture : IAsyncLifetime
{
    /// <summary>The events of most tests: ten, of two teams and three days.</summary>
    public static readonly string[] Events =
    [
        "CREATE DATABASE app",
        "CREATE TABLE app.events (id UInt64, team_id UInt32, day Date, event String) ENGINE = MergeTree PARTITION BY toYYYYMM(day) ORDER BY (team_id, id)",
        "INSERT INTO app.events SELECT number, number % 2, toDate('2024-02-28') + number % 3, concat('event ', toString(number)) FROM numbers(10)",
    ];

    /// <summary>A migration of every kind of operation that has a file of its own and needs nothing but ClickHouse.</summary>
    public const string Operations = """
        name: operations
        description: A little of everything
        operations:
          - create: CREATE TABLE app.copied (id UInt64, team_id UInt32, day Date) ENGINE = MergeTree PARTITION BY team_id ORDER BY id
          - copy: app.events
            to: app.copied
            key: id
            columns: { id: id, team_id: team_id, day: day }
            batchRows: 4
          - mutate: app.copied
            command: UPDATE day = day + 1 WHERE id >= 5
            undo: UPDATE day = '2024-02-28' WHERE 1
          - create: CREATE TABLE app.aside AS app.copied
          - movePartition: app.copied
            partition: "0"
            to: app.aside
          - dropPartition: app.copied
            partition: "1"
          - replacePartition: app.copied
            partition: "0"
            from: app.aside
          - create: CREATE MATERIALIZED VIEW app.watch TO app.aside AS SELECT id, team_id, day FROM app.copied
          - detach: app.watch
          - drop: app.copied
        """;

    /// <summary>The lab.</summary>
    public MigrationLab Lab { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Lab = await MigrationLab.StartAsync();

    public ValueTask DisposeAsync() => Lab.DisposeAsync();
}

[CollectionDefinition(nameof(LabTests))]
public sealed class LabTests : ICollectionFixture<LabFixture>;
