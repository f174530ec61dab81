using Godwit.ClickHouse;
using Godwit.Fixtures;
using Godwit.Metadata;
using Godwit.Metadata.Sqlite;
using Godwit.Rebuild;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Kafka;

/// <summary>A folder for the state files, and what every test of a second consumer does.</summary>
public abstract class SecondConsumerCase(RealEngine real, RealKafka kafka) : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("godwit-second-");

    private protected RealEngine Real => real;

    private protected RealKafka Kafka => kafka;

    private protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _folder.Delete(recursive: true);
        GC.SuppressFinalize(this);
    }

    private protected async Task<KafkaFeed> SpreadAsync(string cluster)
    {
        var feed = await KafkaFeed.CreateAsync(await Kafka.BrokerAsync(), Real.Engine, hasView: false);
        await feed.Gateway.ExecuteAsync($"CREATE TABLE {feed.Database}.spread AS {feed.Database}.events ENGINE = Distributed('{cluster}', '{feed.Database}', 'events', cityHash64(uuid))", ct: Ct);
        await feed.AddViewAsync("spread");
        return feed;
    }

    private protected static async Task<string> PlannedAsync(Migrator migrator, KafkaFeed feed, Func<RebuildRequest, RebuildRequest>? change = null, RunOptions? options = null)
    {
        options ??= new RunOptions();
        var request = new RebuildRequest { Table = new QualifiedName(feed.Database, "events"), OrderBy = "(uuid, id)", Strategy = "second-consumer" };
        var proposal = await migrator.ProposeAsync(change?.Invoke(request) ?? request, options, Ct);
        return await migrator.CreateRunAsync(proposal.Plan.ShouldNotBeNull(string.Join(' ', proposal.Checks.Where(c => c.Blocks).Select(c => c.Message))), options, Ct);
    }

    private protected static Task<string> TablesAsync(KafkaFeed feed) =>
        feed.Gateway.ScalarAsync<string>($"SELECT arrayStringConcat(arraySort(groupArray(name)), ' ') FROM system.tables WHERE database = '{feed.Database}'", ct: Ct);

    private protected async Task<IStore> StoreAsync() => await SqliteStore.OpenAsync(Path.Combine(_folder.FullName, "state.db"), ct: Ct);
}
