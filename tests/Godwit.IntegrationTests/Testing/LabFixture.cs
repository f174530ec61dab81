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

    /// <summary>The lab.</summary>
    public MigrationLab Lab { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Lab = await MigrationLab.StartAsync();

    public ValueTask DisposeAsync() => Lab.DisposeAsync();
}

[CollectionDefinition(nameof(LabTests))]
public sealed class LabTests : ICollectionFixture<LabFixture>;
