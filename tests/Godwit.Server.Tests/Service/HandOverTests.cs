using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Godwit.Fixtures;
using Godwit.Rebuild;
using Godwit.Runs;
using Godwit.Server.Tests.Browser;
using Shouldly;
using Xunit;

namespace Godwit.Server.Tests.Service;

/// <summary>Servers that are ended by whoever runs them.</summary>
public sealed class HandOverTests(RealEngine real) : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("godwit-handover-").FullName;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string StateFile => Path.Combine(_folder, "state.db");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_server_that_is_told_to_end_lets_go_of_its_run_and_another_one_goes_on_with_it()
    {
        using var gateway = real.Engine.Gateway();
        var table = await EventsTable.CreateAsync(gateway, rows: 200_000);
        await using var looker = await ServerFixture.StartAsync(real.Engine, new ServerSetup { State = StateFile, RunsWorker = false });
        await using var first = await ServeProcess.StartAsync(real.Engine, StateFile, ServeProcess.FreePort(), Ct);
        var options = new RunOptions { MaxRowsPerSecond = 5_000 };
        var plan = (await looker.Migrator.ProposeAsync(new RebuildRequest { Table = table, OrderBy = "(user, id)" }, options, Ct)).Plan!;
        var run = await looker.Migrator.CreateRunAsync(plan, options, Ct);
        await looker.Migrator.QueueAsync(run, "ada", Ct);
        await Wait.UntilAsync(async () => await looker.Migrator.StatusAsync(run, Ct) is { RowsCopied: > 0, Owner: { } owner } && owner.Contains($":{first.Pid}:", StringComparison.Ordinal), Ct);
        await using var second = await ServeProcess.StartAsync(real.Engine, StateFile, ServeProcess.FreePort(), Ct);

        (await first.TerminateAsync(Ct)).ShouldBe(0);

        // It has not waited for the lease to end: the one that it held is gone with it.
        var left = await looker.Migrator.StatusAsync(run, Ct);
        (left.Owner ?? "").ShouldNotContain($":{first.Pid}:");
        left.State.ShouldBe(RunState.Running);
        await Wait.UntilAsync(async () => await looker.Migrator.StatusAsync(run, Ct) is { Owner: { } owner } && owner.Contains($":{second.Pid}:", StringComparison.Ordinal), Ct);
        await looker.Migrator.LimitAsync(run, null, "ada", Ct);
        await Wait.UntilAsync(async () => (await looker.Migrator.StatusAsync(run, Ct)).State == RunState.Completed, Ct);
        (await gateway.ScalarAsync<long>($"SELECT count() FROM {table.ToSql()}", ct: Ct)).ShouldBe(200_000);
        await Wait.UntilAsync(() => second.Lines.Any(l => l.Contains("is Completed", StringComparison.Ordinal)), Ct);
        RequireRunIds([.. first.Lines, .. second.Lines], run);
    }

    [Fact]
    public async Task A_service_manager_is_told_when_it_serves_and_when_it_ends()
    {
        var address = Path.Combine(_folder, "notify");
        using var manager = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        manager.Bind(new UnixDomainSocketEndPoint(address));

        await using var server = await ServeProcess.StartAsync(real.Engine, StateFile, ServeProcess.FreePort(), Ct, ("NOTIFY_SOCKET", address));
        (await HearAsync(manager)).ShouldBe("READY=1");
        (await server.TerminateAsync(Ct)).ShouldBe(0);
        (await HearAsync(manager)).ShouldBe("STOPPING=1");
    }

    [Fact]
    public void A_service_manager_that_is_away_is_an_error_that_names_its_socket()
    {
        var nobody = Path.Combine(_folder, "nobody");
        Should.Throw<IOException>(() => new Cli.ServiceManager(nobody).Tell("READY=1")).Message.ShouldContain(nobody);
        Should.NotThrow(() => new Cli.ServiceManager(null).Tell("READY=1"));
    }

    // A line that speaks of a run can be found by the run.
    private static void RequireRunIds(IEnumerable<string> lines, string run)
    {
        var about = lines.Where(l => l.Contains(run, StringComparison.Ordinal)).Select(l => JsonDocument.Parse(l).RootElement).ToList();
        about.Count.ShouldBeGreaterThanOrEqualTo(3);
        about.ShouldAllBe(l => l.GetProperty("State").GetProperty("RunId").GetString() == run);
    }

    private static async Task<string> HearAsync(Socket manager)
    {
        var buffer = new byte[100];
        return Encoding.UTF8.GetString(buffer, 0, await manager.ReceiveAsync(buffer, Ct));
    }
}
