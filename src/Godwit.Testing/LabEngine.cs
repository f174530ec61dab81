using Godwit.ClickHouse;
using Godwit.Engine;

namespace Godwit.Testing;

/// <summary>The embedded ClickHouse of a lab, in a temporary folder. It keeps a query log, as servers do by default.</summary>
internal sealed class LabEngine : IAsyncDisposable
{
    private const string Config = "<clickhouse><query_log><database>system</database><table>query_log</table></query_log></clickhouse>";

    private const string DataFolder = "data";

    // Godwit trusts the log of a server only when it has been up for longer than the clock is coarse.
    private const int TrustedAfterSeconds = 3;

    private static readonly TimeSpan PollEvery = TimeSpan.FromMilliseconds(50);
    private readonly EngineProcess _process;

    private LabEngine(string folder, EngineProcess process)
    {
        (Folder, _process) = (folder, process);
        Gateway = new ClickHouseGateway(Options, Sockets);
    }

    /// <summary>A folder that goes with it.</summary>
    public string Folder { get; }

    /// <summary>The server, undisturbed.</summary>
    public ClickHouseGateway Gateway { get; }

    /// <summary>Whether somebody has made functions.</summary>
    public bool HasFunctions => Directory.Exists(Functions) && Directory.EnumerateFiles(Functions).Any();

    /// <summary>Where it is.</summary>
    public ClickHouseOptions Options => new() { Url = _process.Url };

    /// <summary>What leads to it.</summary>
    public SocketsHttpHandler Sockets { get; } = new() { UseProxy = false, PooledConnectionIdleTimeout = TimeSpan.FromSeconds(2) };

    private string Functions => Path.Combine(Folder, DataFolder, "user_defined");

    public static async Task<LabEngine> StartAsync(CancellationToken ct)
    {
        var folder = Directory.CreateTempSubdirectory("godwit-lab-").FullName;
        try
        {
            var config = Path.Combine(folder, "config.xml");
            await File.WriteAllTextAsync(config, Config, ct);
            var options = new EngineOptions { Path = Path.Combine(folder, DataFolder), ConfigFile = config };
            return new LabEngine(folder, await EngineProcess.StartAsync(options, ct));
        }
        catch (Exception)
        {
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    /// <summary>Returns when Godwit trusts the log of this server.</summary>
    public async Task WaitUntilTrustedAsync(CancellationToken ct)
    {
        while (await Gateway.ScalarAsync<long>("SELECT toInt64(uptime())", ct: ct) < TrustedAfterSeconds)
        {
            await Task.Delay(PollEvery, ct);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        Gateway.Dispose();
        Sockets.Dispose();
        Directory.Delete(Folder, recursive: true);
    }
}
