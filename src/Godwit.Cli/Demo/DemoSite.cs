using Godwit.ClickHouse;
using Godwit.Engine;
using Godwit.Metadata;
using Godwit.Metadata.Sqlite;

namespace Godwit.Cli.Demo;

/// <summary>All that the demo needs for itself: a folder, an engine in it, a state file. Nothing of it is left when it is disposed of.</summary>
internal sealed class DemoSite : IAsyncDisposable
{
    private readonly string _folder;
    private readonly bool _keep;
    private readonly Action<string> _say;
    private EngineProcess? _engine;
    private ClickHouseGateway? _gateway;
    private IStore? _store;

    private DemoSite(bool keep, Action<string> say)
    {
        (_keep, _say) = (keep, say);
        _folder = Directory.CreateTempSubdirectory("godwit-demo-").FullName;
    }

    /// <summary>The engine.</summary>
    public ClickHouseGateway Gateway => _gateway!;

    /// <summary>The state file.</summary>
    public IStore Store => _store!;

    /// <summary>Where the engine answers, and its process.</summary>
    public EngineProcess Engine => _engine!;

    /// <summary>Where the state file is.</summary>
    public string StateFile => Path.Combine(_folder, "godwit.db");

    private string Data => Path.Combine(_folder, "clickhouse");

    /// <summary>Makes the folder and starts the engine.</summary>
    /// <param name="keep">Whether the folder stays.</param>
    /// <param name="say">Hears what takes long.</param>
    /// <param name="ct">Gives up; nothing is left then.</param>
    public static async Task<DemoSite> StartAsync(bool keep, Action<string> say, CancellationToken ct)
    {
        var site = new DemoSite(keep, say);
        try
        {
            site._engine = await EngineProcess.StartAsync(new EngineOptions { Path = site.Data, Say = say }, ct);
            site._gateway = new ClickHouseGateway(new ClickHouseOptions { Url = site._engine.Url });
            site._store = await SqliteStore.OpenAsync(site.StateFile, ct: ct);
            return site;
        }
        catch
        {
            await site.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stops the engine and removes the folder.</summary>
    public async ValueTask DisposeAsync()
    {
        _gateway?.Dispose();
        if (_store is not null)
        {
            await _store.DisposeAsync();
        }

        if (_engine is not null)
        {
            await _engine.DisposeAsync();
        }

        if (_keep)
        {
            _say($"Kept: `godwit engine --path {Data} --http-port 8123` opens the data again, and --state {StateFile} holds the run.");
            return;
        }

        try
        {
            Directory.Delete(_folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _say($"{_folder} could not be removed ({e.Message}); delete it by hand.");
        }
    }
}
