using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Godwit.Checks;
using Godwit.Cli.Rendering;
using Godwit.ClickHouse;
using Godwit.Metadata;
using Godwit.Metadata.Accounts;
using Godwit.Runs;
using Godwit.Server;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;

namespace Godwit.Cli.Demo;

/// <summary>The demo for the browser: its engine, its writers and the server stay up, and a rebuild is under way that waits for a click.</summary>
internal sealed class DemoServe(Invocation call, DemoSite site, long rows)
{
    private const string User = "demo";
    private const int Writers = 2;

    /// <summary>So slow that there is time to look, and to press the buttons.</summary>
    private const int Seconds = 60;

    private static readonly TimeSpan BetweenInserts = TimeSpan.FromMilliseconds(100);

    /// <summary>Serves until it is interrupted.</summary>
    public async Task RunAsync()
    {
        var ct = call.Token;
        await new DemoRun(call, site, rows).FillAsync(ct);
        using var clients = new ClickHouseGateway(new ClickHouseOptions { Url = site.Engine.Url });
        var options = new LiveWriterOptions { Table = DemoEvents.Table, Rows = DemoEvents.LiveRows, Writers = Writers, Pause = BetweenInserts };
        var log = new WriterLog();
        log.AddPresent(new IdRange(0, rows - 1));
        await using var writer = LiveWriter.Start(clients, options, log);
        Say($"{Writers} writers insert as long as the demo runs.");

        var password = $"demo-{RandomNumberGenerator.GetHexString(4, lowercase: true)}-{RandomNumberGenerator.GetHexString(4, lowercase: true)}";
        await using var app = GodwitServer.Build(
            new ServeOptions { Listen = new IPEndPoint(IPAddress.Loopback, FreePort()), Logs = LogLevel.Warning },
            new ClickHouseOptions { Url = site.Engine.Url },
            StoreLocation.Sqlite(site.StateFile),
            new MigratorOptions { Clock = call.Environment.Clock });
        await GodwitServer.AddUserAsync(app, User, Role.Admin, password, ct);
        var address = await GodwitServer.StartAsync(app, _ => { }, ct);
        var run = await QueueAsync(app, ct);
        Say("");
        Say($"Open {new Uri(address, $"/runs/{run}")} and log in as {User} with the password {password}");
        Say("A rebuild is under way there. It waits for you to press Cut over; the writers go on all the time. Ctrl-C ends everything.");
        await GodwitServer.RunAsync(app, ct);
        await writer.StopAsync();
    }

    private async Task<string> QueueAsync(WebApplication app, CancellationToken ct)
    {
        var migrator = GodwitServer.MigratorOf(app);
        var options = new RunOptions { DeferCutover = true, MaxRowsPerSecond = Math.Max(1, rows / Seconds) };
        var proposal = await migrator.ProposeAsync(DemoEvents.Wish, options, ct);
        if (proposal.Plan is not { } plan)
        {
            throw new RefusedException(proposal.Checks);
        }

        var run = await migrator.CreateRunAsync(plan, options, ct);
        await migrator.QueueAsync(run, new Actor(User, "godwit demo"), ct);
        return run;
    }

    // The port that the documentation names, when nobody has it.
    private static int FreePort()
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, ServeOptions.DefaultPort);
            listener.Start();
            return ServeOptions.DefaultPort;
        }
        catch (SocketException)
        {
            return 0;
        }
    }

    private void Say(string sentence) => call.Output.Error.WriteLine(sentence);
}
