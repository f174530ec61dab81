using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Godwit.ClickHouse;

namespace Godwit.Fixtures;

/// <summary>Debian's ClickHouse 18.16.1 in a folder of its own: the oldest server that Godwit works with.</summary>
public sealed class OldServerFixture(string configuration = "") : IServerFixture, IAsyncDisposable
{
    /// <summary>A user whose password has everything in it that quoting can get wrong.</summary>
    public const string GuardedUser = "guarded";

    public const string GuardedPassword = @"it's a pa:ss/w&rd%\";

    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);
    private readonly string _folder = Directory.CreateTempSubdirectory("godwit-old-").FullName;
    private Process? _process;

    /// <summary>The HTTP interface; user default, no password.</summary>
    public Uri Url { get; private set; } = new("http://127.0.0.1/");

    /// <summary>The process that runs ClickHouse.</summary>
    public int Pid => _process!.Id;

    /// <summary>A gateway to it.</summary>
    public ClickHouseGateway Gateway(HttpMessageHandler? network = null) => new(new ClickHouseOptions { Url = Url }, network);

    /// <summary>A new database that belongs to the caller.</summary>
    public async Task<string> NewDatabaseAsync()
    {
        var name = $"t{Guid.NewGuid():N}"[..12];
        using var gateway = Gateway();
        await gateway.ExecuteAsync($"CREATE DATABASE {name}");
        return name;
    }

    /// <summary>Drops a database with all its tables.</summary>
    public async Task DropDatabaseAsync(string name)
    {
        using var gateway = Gateway();
        await gateway.ExecuteAsync($"DROP DATABASE IF EXISTS {name}");
    }

    /// <summary>Starts it, or fails with a sentence that says what is missing.</summary>
    public async Task StartAsync()
    {
        var ports = FreePorts(3);
        Url = new Uri($"http://127.0.0.1:{ports[0]}/");
        await File.WriteAllTextAsync(Path.Combine(_folder, "config.xml"), Config(ports));
        await File.WriteAllTextAsync(Path.Combine(_folder, "users.xml"), Users);
        await LaunchAsync();
    }

    /// <summary>Ends it as a crash does. It is gone when this returns or soon after.</summary>
    public void Kill() => _process?.Kill();

    /// <summary>Ends it as a crash does, and returns when it is gone.</summary>
    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>Starts it again on the same data and ports; one that runs is killed first.</summary>
    public async Task RestartAsync()
    {
        await KillAsync();
        _process!.Dispose();
        await LaunchAsync();
    }

    private async Task LaunchAsync()
    {
        var start = new ProcessStartInfo("clickhouse-server", $"--config={_folder}/config.xml")
        {
            WorkingDirectory = _folder,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        try
        {
            _process = Process.Start(start) ?? throw new InvalidOperationException("clickhouse-server did not start.");
        }
        catch (Win32Exception e)
        {
            throw new InvalidOperationException(
                "These tests need Debian's ClickHouse 18.16.1: apt-get install --no-install-recommends clickhouse-server", e);
        }

        await ReadyAsync(_process);
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { } process)
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }

        Directory.Delete(_folder, recursive: true);
    }

    private async Task ReadyAsync(Process process)
    {
        // The server says on its log when it listens: waiting for that line needs no polling.
        var ready = new TaskCompletionSource();
        var log = new List<string>();
        void Heard(object sender, DataReceivedEventArgs line)
        {
            lock (log)
            {
                log.Add(line.Data ?? "");
            }

            if (line.Data?.Contains("Ready for connections", StringComparison.Ordinal) == true)
            {
                ready.TrySetResult();
            }
        }

        process.OutputDataReceived += Heard;
        process.ErrorDataReceived += Heard;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var first = await Task.WhenAny(ready.Task, process.WaitForExitAsync(), Task.Delay(StartTimeout));
        if (first != ready.Task)
        {
            lock (log)
            {
                throw new InvalidOperationException("clickhouse-server did not start:\n" + string.Join('\n', log.TakeLast(20)));
            }
        }
    }

    private static int[] FreePorts(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        listeners.ForEach(l => l.Start());
        var ports = listeners.Select(l => ((IPEndPoint)l.LocalEndpoint).Port).ToArray();
        listeners.ForEach(l => l.Stop());
        return ports;
    }

    private string Config(int[] ports) => $"""
        <yandex>
          <logger><level>information</level><console>1</console></logger>
          <http_port>{ports[0]}</http_port>
          <tcp_port>{ports[1]}</tcp_port>
          <interserver_http_port>{ports[2]}</interserver_http_port>
          <listen_host>127.0.0.1</listen_host>
          <interserver_http_host>127.0.0.1</interserver_http_host>
          <path>{_folder}/data/</path>
          <tmp_path>{_folder}/tmp/</tmp_path>
          <format_schema_path>{_folder}/formats/</format_schema_path>
          <users_config>users.xml</users_config>
          <default_profile>default</default_profile>
          <default_database>default</default_database>
          <timezone>Europe/Berlin</timezone>
          <mark_cache_size>67108864</mark_cache_size>
          <keep_alive_timeout>3</keep_alive_timeout>
          {configuration.Replace("{tcp}", ports[1].ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)}
        </yandex>
        """;

    private static string Users => $"""
        <yandex>
          <profiles><default><stream_flush_interval_ms>1000</stream_flush_interval_ms></default></profiles>
          <quotas><default/></quotas>
          <users>
            {User("default", "")}
            {User(GuardedUser, GuardedPassword.Replace("&", "&amp;", StringComparison.Ordinal))}
          </users>
        </yandex>
        """;

    private static string User(string name, string password) => $"""
        <{name}>
          <password>{password}</password>
          <networks><ip>127.0.0.1</ip></networks>
          <profile>default</profile>
          <quota>default</quota>
        </{name}>
        """;
}
