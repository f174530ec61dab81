using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Godwit.ClickHouse;
using Godwit.Engine;
using Godwit.Testing;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Engine;

public sealed class EngineProcessTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("godwit-test-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Rows_are_there_again_after_a_kill_and_a_restart()
    {
        await using var engine = await EngineFixture.StartAsync();
        var database = await engine.NewDatabaseAsync();
        using (var gateway = engine.Gateway())
        {
            await gateway.ExecuteAsync($"CREATE TABLE {database}.t (a UInt64) ENGINE = MergeTree ORDER BY a", ct: Token);
            await gateway.ExecuteAsync($"INSERT INTO {database}.t SELECT number FROM numbers(1000)", ct: Token);
        }

        await engine.KillAsync();
        await engine.RestartAsync();

        using var again = engine.Gateway();
        (await again.ScalarAsync<long>($"SELECT count() FROM {database}.t", ct: Token)).ShouldBe(1000);
    }

    [Fact]
    public async Task It_stops_within_its_patience_though_a_query_is_running()
    {
        var engine = await EngineProcess.StartAsync(new EngineOptions { Path = _folder }, Token);
        using var gateway = new ClickHouseGateway(new ClickHouseOptions { Url = engine.Url });
        var query = gateway.ExecuteAsync("SELECT sleepEachRow(1) FROM numbers(600) SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 0", ct: Token);
        while (await gateway.ScalarAsync<long>("SELECT count() FROM system.processes WHERE query LIKE 'SELECT sleepEachRow%'", ct: Token) == 0)
        {
            await Task.Yield();
        }

        await engine.StopAsync();

        engine.HasExited.ShouldBeTrue();
        await Should.ThrowAsync<ClickHouseException>(query);
    }

    [Fact]
    public async Task It_ends_when_its_parent_is_killed()
    {
        using var parent = Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Godwit.Cli.dll"), "engine", "--path", _folder, "--http-port", "0"])
        {
            RedirectStandardOutput = true,
        })!;
        var line = await parent.StandardOutput.ReadLineAsync(Token);
        line.ShouldNotBeNull().ShouldContain("is ready at http://127.0.0.1:");
        using var child = Process.GetProcessById(int.Parse(line.Split("pid ")[1].TrimEnd(')'), System.Globalization.CultureInfo.InvariantCulture));

        parent.Kill();

        await child.WaitForExitAsync(Token);
        child.HasExited.ShouldBeTrue();
    }

    [Fact]
    public async Task A_second_engine_on_the_same_folder_is_refused_with_a_sentence()
    {
        await using var engine = await EngineProcess.StartAsync(new EngineOptions { Path = _folder }, Token);

        var refusal = await Should.ThrowAsync<EngineStartException>(() => EngineProcess.StartAsync(new EngineOptions { Path = _folder }, Token));

        refusal.Message.ShouldContain("is in use by another engine");
    }

    [Fact]
    public async Task A_taken_port_is_refused_with_a_sentence()
    {
        using var taken = new TcpListener(System.Net.IPAddress.Loopback, 0);
        taken.Start();
        var port = ((System.Net.IPEndPoint)taken.LocalEndpoint).Port;

        var refusal = await Should.ThrowAsync<EngineStartException>(() => EngineProcess.StartAsync(new EngineOptions { Path = _folder, HttpPort = port }, Token));

        refusal.Message.ShouldContain($"Port {port} of 127.0.0.1 cannot be used");
    }

    [Fact]
    public async Task A_broken_configuration_is_named()
    {
        var file = Path.Combine(_folder, "broken.xml");
        await File.WriteAllTextAsync(file, "<clickhouse><unclosed>", Token);

        var refusal = await Should.ThrowAsync<EngineStartException>(
            () => EngineProcess.StartAsync(new EngineOptions { Path = Path.Combine(_folder, "data"), ConfigFile = file }, Token));

        refusal.Message.ShouldContain("broken.xml");
    }

    [Fact]
    public async Task Two_engines_reach_each_other_over_TCP()
    {
        await using var one = await EngineProcess.StartAsync(new EngineOptions { Path = Path.Combine(_folder, "one"), TcpPort = 0 }, Token);
        await using var two = await EngineProcess.StartAsync(new EngineOptions { Path = Path.Combine(_folder, "two") }, Token);
        using var gateway = new ClickHouseGateway(new ClickHouseOptions { Url = two.Url });

        (await gateway.ScalarAsync<long>($"SELECT sum(number) FROM remote('127.0.0.1:{one.TcpPort}', numbers(10))", ct: Token)).ShouldBe(45);
    }

    [Fact]
    public async Task A_malformed_request_does_not_end_it()
    {
        await using var engine = await EngineProcess.StartAsync(new EngineOptions { Path = _folder }, Token);
        using (var client = new TcpClient())
        {
            await client.ConnectAsync("127.0.0.1", engine.HttpPort, Token);
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes("GARBAGE\r\n\r\n"), Token);
            await client.GetStream().ReadAtLeastAsync(new byte[64], 1, throwOnEndOfStream: false, Token);
        }

        using var gateway = new ClickHouseGateway(new ClickHouseOptions { Url = engine.Url });
        await gateway.PingAsync(Token);
        engine.HasExited.ShouldBeFalse();
    }
}
