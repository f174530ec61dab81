using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Godwit.ClickHouse;
using Godwit.Engine;
using Godwit.Fixtures;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Engine;

public sealed class EngineProcessTests
{
    private const string Endless = "SELECT sum(sleepEachRow(0.02)) FROM system.numbers SETTINGS max_block_size = 5";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Data_survives_a_kill_and_a_restart()
    {
        await using var engine = await EngineFixture.StartAsync();
        using var gateway = GatewayTo(engine.Url);
        await gateway.ExecuteAsync("CREATE DATABASE kept ENGINE = Atomic", ct: Ct);
        await gateway.ExecuteAsync("CREATE TABLE kept.t (a UInt64) ENGINE = MergeTree ORDER BY a", ct: Ct);
        await gateway.ExecuteAsync("INSERT INTO kept.t SELECT number FROM numbers(1000)", ct: Ct);
        var (url, pid) = (engine.Url, engine.Pid);

        await engine.KillAsync();
        await Should.ThrowAsync<ClickHouseUnreachableException>(() => gateway.PingAsync(Ct));
        await engine.RestartAsync();

        engine.Url.ShouldBe(url);
        engine.Pid.ShouldNotBe(pid);
        (await gateway.ScalarAsync<long>("SELECT sum(a) FROM kept.t", ct: Ct)).ShouldBe(499_500);
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task A_signal_stops_it_cleanly_even_while_it_works(string signal)
    {
        using var folder = new TemporaryFolder();
        await using var engine = await EngineProcess.StartAsync(new EngineOptions { Path = folder.Path }, Ct);
        using var gateway = GatewayTo(engine.Url);
        var work = Should.ThrowAsync<ClickHouseException>(
            () => gateway.ExecuteAsync(Endless, new QueryOptions { QueryId = "work" }, Ct));
        await Wait.UntilAsync(async () => await gateway.ScalarAsync<long>("SELECT count() FROM system.processes WHERE query_id = 'work'", ct: Ct) == 1, Ct);

        Signal(signal, engine.Pid);
        await engine.WaitForExitAsync(Ct);

        engine.ExitCode.ShouldBe(0);
        await work;
    }

    [Fact]
    public async Task Stopping_it_twice_is_stopping_it_once()
    {
        using var folder = new TemporaryFolder();
        await using var engine = await EngineProcess.StartAsync(new EngineOptions { Path = folder.Path }, Ct);
        await engine.StopAsync();
        await engine.StopAsync();
        engine.ExitCode.ShouldBe(0);
    }

    [Fact]
    public async Task It_ends_when_its_parent_is_killed()
    {
        using var folder = new TemporaryFolder();
        var port = EngineChecks.Ports(0, null).Http;
        var data = Directory.CreateDirectory(Path.Combine(folder.Path, "data")).FullName;
        var child = EngineLaunch.StartInfo(await EnginePackage.EnsureAsync(null, Ct), data, port, null, null);

        // The shell is the parent: it holds the other end of the engine's standard input, and nobody else does.
        const string Script = "mkfifo \"$0\"; \"$@\" < \"$0\" > /dev/null 2>&1 & exec 3> \"$0\"; echo $!; read -r forever";
        var start = new ProcessStartInfo("sh", ["-c", Script, Path.Combine(folder.Path, "pipe"), child.FileName, .. child.ArgumentList])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        using var parent = Process.Start(start)!;
        using var engine = Process.GetProcessById(int.Parse((await parent.StandardOutput.ReadLineAsync(Ct))!, CultureInfo.InvariantCulture));
        using var gateway = GatewayTo(new Uri($"http://127.0.0.1:{port}/"));
        await Wait.UntilAsync(async () => await Answers(gateway), Ct);

        parent.Kill();

        await Wait.UntilAsync(() => Task.FromResult(!IsRunning(engine.Id)), Ct);
        (await Answers(gateway)).ShouldBeFalse();
    }

    [Fact]
    public async Task A_port_that_is_taken_is_named()
    {
        using var folder = new TemporaryFolder();
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;
        (await Refusal(new EngineOptions { Path = folder.Path, HttpPort = port })).ShouldBe(
            $"Port {port} of 127.0.0.1 is taken by another program; choose another one, or 0 for any that is free.");
        (await Refusal(new EngineOptions { Path = folder.Path, TcpPort = port })).ShouldStartWith($"Port {port} of 127.0.0.1 is taken");
    }

    [Fact]
    public async Task A_folder_that_another_engine_uses_is_named()
    {
        await using var first = await EngineFixture.StartAsync();
        (await Refusal(new EngineOptions { Path = first.Folder })).ShouldBe(
            $"The folder {first.Folder} is in use by another ClickHouse (pid {first.Pid}); stop that one or take another folder.");
        using var gateway = GatewayTo(first.Url);
        await gateway.PingAsync(Ct);
    }

    [Fact]
    public async Task A_folder_that_cannot_be_written_is_named()
        => (await Refusal(new EngineOptions { Path = "/proc/nowhere" })).ShouldStartWith("The folder /proc/nowhere cannot be written: ");

    [Theory]
    [InlineData("broken.xml", "<clickhouse><bad", "is not valid XML: ")]
    [InlineData("broken.yaml", "a: [", "Unable to parse YAML")]
    [InlineData("missing.xml", null, "does not exist.")]
    [InlineData("wrong.xml", "<clickhouse><max_thread_pool_size>many</max_thread_pool_size></clickhouse>", "many")]
    public async Task A_bad_configuration_says_what_is_bad_about_it(string name, string? content, string why)
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, name);
        if (content is not null)
        {
            await File.WriteAllTextAsync(file, content, Ct);
        }

        (await Refusal(new EngineOptions { Path = Path.Combine(folder.Path, "data"), ConfigFile = file })).ShouldContain(why);
    }

    [Fact]
    public async Task One_port_for_both_protocols_is_refused()
        => (await Refusal(new EngineOptions { Path = "/nowhere", HttpPort = 4711, TcpPort = 4711 })).ShouldBe(
            "--http-port and --tcp-port are both 4711: they need two ports.");

    [Fact]
    public async Task It_leaves_the_devices_of_the_machine_as_they_are()
    {
        var before = new FileInfo("/dev/null").UnixFileMode;
        await using (await EngineFixture.StartAsync())
        {
        }

        new FileInfo("/dev/null").UnixFileMode.ShouldBe(before);
    }

    [Fact]
    public async Task A_killed_engine_leaves_no_debugging_sockets()
    {
        // Other processes may have left some, one of the same id among them.
        var before = Directory.EnumerateFileSystemEntries(Path.GetTempPath()).ToHashSet(StringComparer.Ordinal);
        await using var engine = await EngineFixture.StartAsync();
        var pid = engine.Pid;
        await engine.KillAsync();
        Directory.EnumerateFileSystemEntries(Path.GetTempPath(), $"*-{pid}-*").Except(before, StringComparer.Ordinal).ShouldBeEmpty();
    }

    [Fact]
    public async Task Another_engine_can_query_it_over_TCP()
    {
        await using var asking = await EngineFixture.StartAsync();
        await using var asked = await EngineFixture.StartAsync();
        using var gateway = GatewayTo(asking.Url);
        var tcp = $"remote('127.0.0.1:{asked.TcpPort}', system.one)";
        (await gateway.ScalarAsync<long>($"SELECT tcpPort() FROM {tcp}", ct: Ct)).ShouldBe(asked.TcpPort);
    }

    [Fact]
    public async Task A_malformed_request_does_not_end_it()
    {
        await using var engine = await EngineFixture.StartAsync();
        string[] requests = ["BOGUS\r\n\r\n", "GET / HTTP/9.9\r\nX\r\n\r\n", "\0\u0001\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n"];
        foreach (var request in requests)
        {
            using var client = new TcpClient();
            await client.ConnectAsync(engine.Url.Host, engine.Url.Port, Ct);
            await using var stream = client.GetStream();
            await stream.WriteAsync(Encoding.Latin1.GetBytes(request), Ct);
            try
            {
                client.Client.Shutdown(SocketShutdown.Send);
                await stream.CopyToAsync(Stream.Null, Ct);
            }
            catch (Exception e) when (e is IOException or SocketException)
            {
                // To hang up is an answer as well.
            }
        }

        using var gateway = GatewayTo(engine.Url);
        (await gateway.ScalarAsync<string>("SELECT version()", ct: Ct)).ShouldBe(EnginePackage.ClickHouseVersion);
        IsRunning(engine.Pid).ShouldBeTrue();
    }

    private static ClickHouseGateway GatewayTo(Uri url) => new(new ClickHouseOptions { Url = url });

    private static async Task<string> Refusal(EngineOptions options)
        => (await Should.ThrowAsync<EngineStartException>(() => EngineProcess.StartAsync(options, Ct))).Message;

    private static async Task<bool> Answers(ClickHouseGateway gateway)
    {
        try
        {
            await gateway.PingAsync(Ct);
            return true;
        }
        catch (ClickHouseUnreachableException)
        {
            return false;
        }
    }

    /// <summary>A zombie that waits for somebody to fetch its exit code does not run.</summary>
    private static bool IsRunning(int pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            return stat[stat.LastIndexOf(')') + 2] is not ('Z' or 'X');
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static void Signal(string name, int pid)
    {
        using var kill = Process.Start("kill", [$"-{name}", pid.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }
}
