using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Godwit.Fixtures;

/// <summary>Debian's PostgreSQL in a folder of its own; can be stopped and started again.</summary>
public sealed class PostgresFixture : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly string _folder;
    private readonly string _programs;
    private readonly int _port;

    private PostgresFixture(string folder, string programs, int port) => (_folder, _programs, _port) = (folder, programs, port);

    /// <summary>How to reach it; anybody on this machine is let in.</summary>
    public string ConnectionString => string.Create(CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={_port};Database=postgres;Username=postgres;Timeout=5");

    /// <summary>The same as the command line takes it.</summary>
    public string Url => string.Create(CultureInfo.InvariantCulture, $"postgresql://postgres@127.0.0.1:{_port}/postgres");

    /// <summary>Makes and starts one, or fails with a sentence that says what is missing.</summary>
    public static async Task<PostgresFixture> StartAsync()
    {
        var programs = Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql").OrderBy(d => d, StringComparer.Ordinal).Select(d => Path.Combine(d, "bin")).LastOrDefault(Directory.Exists)
            : null;
        if (programs is null)
        {
            throw new InvalidOperationException("These tests need PostgreSQL as Debian packages it: apt-get install --no-install-recommends postgresql");
        }

        var folder = Directory.CreateTempSubdirectory("godwit-postgres-").FullName;
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var fixture = new PostgresFixture(folder, programs, ((IPEndPoint)listener.LocalEndpoint).Port);
        listener.Stop();
        if (Environment.IsPrivilegedProcess)
        {
            // PostgreSQL does not run as root.
            await RunAsync("chown", ["postgres", folder]);
        }

        await fixture.RunAsOwnerAsync("initdb", "-D", fixture.Data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync");
        await fixture.StartAgainAsync();
        return fixture;
    }

    /// <summary>Starts it on the same data and port.</summary>
    public Task StartAgainAsync() => RunAsOwnerAsync(
        "pg_ctl", "-D", Data, "-w", "-l", Path.Combine(_folder, "log"), "-o", $"-c listen_addresses=127.0.0.1 -p {_port} -c unix_socket_directories='' -c fsync=off", "start");

    /// <summary>Stops it; whoever is connected is thrown out.</summary>
    public Task StopAsync() => RunAsOwnerAsync("pg_ctl", "-D", Data, "-m", "immediate", "-w", "stop");

    public async ValueTask DisposeAsync()
    {
        if (File.Exists(Path.Combine(Data, "postmaster.pid")))
        {
            await StopAsync();
        }

        Directory.Delete(_folder, recursive: true);
    }

    private string Data => Path.Combine(_folder, "data");

    private Task RunAsOwnerAsync(string program, params string[] arguments)
    {
        var path = Path.Combine(_programs, program);
        return Environment.IsPrivilegedProcess ? RunAsync("runuser", ["-u", "postgres", "--", path, .. arguments]) : RunAsync(path, arguments);
    }

    private static async Task RunAsync(string program, IReadOnlyList<string> arguments)
    {
        // What it starts keeps its streams, so they must not be waited for.
        var log = Path.GetTempFileName();
        try
        {
            var start = new ProcessStartInfo("/bin/sh", ["-c", "exec \"$@\" >\"$0\" 2>&1 </dev/null", log, program, .. arguments]) { WorkingDirectory = "/" };
            using var process = Process.Start(start)!;
            using var limit = new CancellationTokenSource(Limit);
            await process.WaitForExitAsync(limit.Token);
            if (process.ExitCode != 0)
            {
                throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} failed: {await File.ReadAllTextAsync(log)}");
            }
        }
        finally
        {
            File.Delete(log);
        }
    }
}
