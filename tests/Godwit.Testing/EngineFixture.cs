using Godwit.ClickHouse;
using Godwit.Engine;

namespace Godwit.Testing;

/// <summary>A real ClickHouse in a temporary folder, which may be killed and started again on the same folder and port.</summary>
public sealed class EngineFixture : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("godwit-engine-").FullName;
    private EngineProcess? _engine;
    private int _port;

    private EngineFixture()
    {
    }

    /// <summary>Where it answers.</summary>
    public Uri Url => _engine!.Url;

    /// <summary>The process that is ClickHouse.</summary>
    public int Pid => _engine!.Pid;

    /// <summary>The folder of its data.</summary>
    public string Folder => _folder;

    /// <summary>Starts one.</summary>
    public static async Task<EngineFixture> StartAsync()
    {
        var fixture = new EngineFixture();
        await fixture.RestartAsync();
        return fixture;
    }

    /// <summary>A gateway to it.</summary>
    public ClickHouseGateway Gateway() => new(new ClickHouseOptions { Url = Url });

    /// <summary>A new database that belongs to the caller.</summary>
    public async Task<string> NewDatabaseAsync()
    {
        var name = $"t{Guid.NewGuid():N}"[..12];
        using var gateway = Gateway();
        await gateway.ExecuteAsync($"CREATE DATABASE {name} ENGINE = Atomic");
        return name;
    }

    /// <summary>Ends it as a power failure would.</summary>
    public async Task KillAsync()
    {
        _engine!.Kill();
        await _engine.WaitForExitAsync();
    }

    /// <summary>Starts it again where it was.</summary>
    public async Task RestartAsync()
    {
        if (_engine is not null)
        {
            await _engine.DisposeAsync();
        }

        _engine = await EngineProcess.StartAsync(new EngineOptions { Path = Path.Combine(_folder, "data"), HttpPort = _port });
        _port = _engine.HttpPort;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_engine is not null)
        {
            await _engine.DisposeAsync();
        }

        Directory.Delete(_folder, recursive: true);
    }
}
