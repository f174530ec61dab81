using System.Diagnostics;
using Godwit.ClickHouse;
using Godwit.Fixtures;
using Godwit.Hosting;
using Godwit.Metadata;
using Godwit.Workers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Shouldly;
using Xunit;

namespace Godwit.Tests.Hosting;

/// <summary>A host starts whatever is away, and says what is.</summary>
public sealed class AwayTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    // Nothing listens on port 1.
    [Theory]
    [InlineData("Host=127.0.0.1;Port=1;Database=app;Username=u;Password=geheim", "PostgreSQL 127.0.0.1:1/app, where runs are kept, cannot be reached")]
    [InlineData("/proc/nowhere/state.db", "The state file /proc/nowhere/state.db cannot be made")]
    [InlineData("state.db", "127.0.0.1:1 cannot be reached")]
    public async Task What_is_away_is_in_the_log_and_in_the_health_of_a_host_that_runs(string store, string sentence)
    {
        await using var host = new HostCase(("Godwit:Store", store), ("Godwit:ClickHouse:Url", "http://u:geheim@127.0.0.1:1"));
        host.Services.AddGodwit();

        await host.StartAsync(Ct);
        await Wait.UntilAsync(() => host.HasLogged("The worker waits"), Ct);

        var health = await host.HealthAsync();
        health.Status.ShouldBe(HealthStatus.Degraded);
        health.Description.ShouldNotBeNull().ShouldContain(sentence);
        health.Description.ShouldContain("127.0.0.1:1 cannot be reached");
        host.Log.ShouldContain(line => line.StartsWith("Warning The worker waits: ", StringComparison.Ordinal) && line.Contains(sentence, StringComparison.Ordinal));
        string.Join(' ', [.. host.Log, health.Description]).ShouldNotContain("geheim");
    }

    [Fact]
    public async Task A_host_without_a_worker_says_so_and_leaves_runs_alone()
    {
        await using var host = new HostCase(("Godwit:Store", "/proc/nowhere/state.db"), ("Godwit:ClickHouse:Url", "http://127.0.0.1:1"));
        host.Services.AddGodwit(godwit => godwit.RunWorker = false);

        await host.StartAsync(Ct);
        await host.Host.Services.GetRequiredService<HostedWorker>().ExecuteTask!.WaitAsync(Ct);

        host.HasLogged("Information Godwit lists and steers the runs of 127.0.0.1:1; other processes work on them").ShouldBeTrue();
        host.HasLogged("The worker waits").ShouldBeFalse();
    }

    [Fact]
    public async Task A_run_is_a_value_of_its_messages_and_trouble_is_a_warning()
    {
        await using var host = new HostCase(("Godwit:Store", "state.db"), ("Godwit:ClickHouse:Url", "http://127.0.0.1:1"));
        host.Services.AddGodwit();
        var worker = host.Host.Services.GetRequiredService<HostedWorker>();

        worker.Report(new WorkerEvent("a"));
        worker.Report(new WorkerEvent("b", IsTrouble: true));
        worker.Report(new WorkerEvent("c", "k3f"));
        worker.Report(new WorkerEvent("d", "k3f", IsTrouble: true));

        host.Log.ShouldBe(["Information a", "Warning b", "Information [k3f] Run k3f: c", "Warning [k3f] Run k3f: d"]);
    }

    [Fact]
    public async Task A_container_can_be_disposed_of_the_old_way()
    {
        await using var host = new HostCase();
        host.Services.AddLogging().AddGodwit(godwit => (godwit.ClickHouse, godwit.Store) =
            (new ClickHouseOptions { Url = new Uri("http://127.0.0.1:1") }, StoreLocation.Sqlite(Path.Combine(host.Folder, "state.db"))));
        var services = host.Services.BuildServiceProvider();
        var migrator = services.GetRequiredService<Migrator>();
        (await migrator.ListAsync(Ct)).ShouldBeEmpty();

        services.Dispose();

        await Should.ThrowAsync<ObjectDisposedException>(migrator.MigrationsAsync(Ct));
    }
}
