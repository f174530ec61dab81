using Godwit.ClickHouse;
using Godwit.Metadata;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Godwit.Hosting;

/// <summary>The migrator of a host, with the gateway and the store below it. Nothing is connected to before it is asked something.</summary>
internal sealed class GodwitInstance : IDisposable, IAsyncDisposable
{
    public GodwitInstance(IOptions<GodwitOptions> options, IServiceProvider services)
    {
        var set = options.Value;
        var clock = services.GetService<TimeProvider>() ?? TimeProvider.System;
        var location = set.Store!.Under(GodwitValidation.Root(services));
        Gateway = new ClickHouseGateway(set.ClickHouse!);
        Store = location.Open(clock);
        StoreName = location.ToString();
        Migrator = new Migrator(
            Gateway, Store, new MigratorOptions { Migrations = set.Definitions, PostgreSql = set.PostgreSql, Kafka = set.Kafka, Cluster = set.Cluster, AppVersion = set.AppVersion, Clock = clock });
    }

    public ClickHouseGateway Gateway { get; }

    public IStore Store { get; }

    /// <summary>Where runs are kept, for people.</summary>
    public string StoreName { get; }

    public Migrator Migrator { get; }

    public async ValueTask DisposeAsync()
    {
        Gateway.Dispose();
        await Store.DisposeAsync();
    }

    // A container that is disposed of the old way refuses what can only be disposed of asynchronously. No store waits for anything then.
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();
}
