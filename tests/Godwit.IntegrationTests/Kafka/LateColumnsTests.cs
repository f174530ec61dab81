using Godwit.ClickHouse;
using Godwit.Fixtures;
using Godwit.Metadata;
using Godwit.Metadata.Sqlite;
using Godwit.Rebuild;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Kafka;

/// <summary>MATERIALIZED columns that come after the copy are there, in their places and with their values, and what needs them from the start has them.</summary>
public sealed class LateColumnsTests(RealEngine real, RealKafka kafka) : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("godwit-late-");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task They_are_left_out_of_the_copy_and_there_before_the_names_change_hands()
    {
        await using var feed = await KafkaFeed.CreateAsync(await kafka.BrokerAsync(), real.Engine);
        await feed.Gateway.ExecuteAsync(
            $"""
             ALTER TABLE {feed.Database}.events ADD COLUMN first UInt64 MATERIALIZED id * 2 FIRST, ADD COLUMN half UInt64 MATERIALIZED intDiv(id, 2) AFTER id,
                 ADD COLUMN `more of it` UInt64 MATERIALIZED first + 1 AFTER half, ADD COLUMN bucket UInt8 MATERIALIZED id % 7, ADD INDEX by_bucket bucket TYPE minmax
             """,
            ct: Ct);
        await using var producer = await feed.ProduceAsync(Ct);
        await using var store = await SqliteStore.OpenAsync(Path.Combine(_folder.FullName, "state.db"), ct: Ct);
        var migrator = new Migrator(feed.Gateway, store);
        var wish = new RebuildRequest { Table = new QualifiedName(feed.Database, "events"), OrderBy = "(uuid, id)", Strategy = "second-consumer", MaterializeLater = true };
        var proposal = await migrator.ProposeAsync(wish, new(), Ct);
        var plan = proposal.Plan.ShouldNotBeNull(string.Join(' ', proposal.Checks.Where(c => c.Blocks).Select(c => c.Message)));
        plan.Steps.ShouldContain(s => s.Kind == "add-columns" && s.Description.EndsWith("the columns first, half, more of it", StringComparison.Ordinal));
        (await migrator.ProposeAsync(wish with { Identity = "uuid, half" }, new(), Ct)).Plan.ShouldNotBeNull().Steps.ShouldContain(
            s => s.Kind == "add-columns" && s.Description.EndsWith("the columns first, more of it", StringComparison.Ordinal), "what tells messages apart is there from the start");
        var before = await DefinitionAsync(feed);

        var status = await migrator.RunAsync(await migrator.CreateRunAsync(plan, new(), Ct), ct: Ct);

        status.State.ShouldBe(RunState.Completed, status.Problem);
        (await store.GetJournalAsync(status.RunId, Ct)).Where(e => e is { Kind: JournalEntryKind.Intent, Name: "create" }).ShouldAllBe(e => !e.Payload.Contains("half", StringComparison.Ordinal) && e.Payload.Contains("bucket", StringComparison.Ordinal));
        (await DefinitionAsync(feed)).ShouldBe(before);
        (await feed.Gateway.ScalarAsync<long>($"SELECT count() FROM {feed.Database}.events WHERE first != id * 2 OR half != intDiv(id, 2) OR `more of it` != id * 2 + 1 OR bucket != id % 7", ct: Ct)).ShouldBe(0);
        status = await migrator.RollbackAsync(status.RunId, ct: Ct);
        status.State.ShouldBe(RunState.RolledBack, status.Problem);
        (await DefinitionAsync(feed)).ShouldBe(before);
        await feed.RequireExactAsync(producer, Ct);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static Task<string> DefinitionAsync(KafkaFeed feed) => feed.Gateway.ScalarAsync<string>(
        $"SELECT toString(groupArray((name, type, default_kind, default_expression))) FROM (SELECT * FROM system.columns WHERE database = '{feed.Database}' AND table = 'events' ORDER BY position)", ct: Ct);
}
