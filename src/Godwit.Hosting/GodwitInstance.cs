using Godwit.ClickHouse;
using Godwit.Metadata;
using Microsoft.Extensions.DependencyInjection;

namespace Godwit.Hosting;

/// <summary>The migrator of a host, with the gateway and the store below it. Nothing is connected to before it is asked something.</summary>
internal sealed class GodwitInstance : IDisposable, IAsyncDisposable
{
    /// <summary>Makes it.</summary>
    /// <param name="server">The server that holds the tables.</param>
    /// <param name="location">Where runs are kept.</param>
    /// <param name="options">What else the migrator works with.</param>
    /// <param name="runsWorker">Whether this host works on runs.</param>
    public GodwitInstance(ClickHouseOptions server, StoreLocation location, MigratorOptions options, bool runsWorker)
    {
        Gateway = new ClickHouseGateway(server);
        Store = location.Open(options.Clock);
        StoreName = location.ToString();
        Migrator = new Migrator(Gateway, Store, options);
        RunsWorker = runsWorker;
        Definitions = options.Migrations.All.Count;
    }

    public ClickHouseGateway Gateway { get; }

    public IStore Store { get; }

    /// <summary>Where runs are kept, for people.</summary>
    public string StoreName { get; }

    public Migrator Migrator { get; }

    /// <summary>Whether this host works on runs.</summary>
    public bool RunsWorker { get; }

    /// <summary>How many migrations it knows.</summary>
    public int Definitions { get; }

    /// <summary>What the options of a host say.</summary>
    public static GodwitInstance Of(GodwitOptions set, IServiceProvider services)
    {
        var clock = services.GetService<TimeProvider>() ?? TimeProvider.System;
        var options = new MigratorOptions { Migrations = set.Definitions, PostgreSql = set.PostgreSql, Kafka = set.Kafka, HookFolder = set.HookFolder, Cluster = set.Cluster, AppVersion = set.AppVersion, Clock = clock };
        return new GodwitInstance(set.ClickHouse!, set.Store!.Under(GodwitValidation.Root(services)), options, set.RunWorker);
    }

    public async ValueTask DisposeAsync()
    {
        Gateway.Dispose();
        await Store.DisposeAsync();
    }

    // A container that is disposed of the old way refuses what can only be disposed of asynchronously. No store waits for anything then.
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();
}
