using System.Collections.Concurrent;
using System.Net;
using Godwit.ClickHouse;
using Godwit.Fixtures;
using Godwit.Metadata;
using Godwit.Metadata.Accounts;
using Godwit.Server.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Shouldly;

namespace Godwit.Server.Tests.Access;

/// <summary>The real server on a free port with a clock that stands still and a state file, for pages that need no ClickHouse: there is none.</summary>
internal sealed class Site : IAsyncDisposable
{
    public const string Password = "correct horse battery";

    private readonly WebApplication _app;
    private readonly string? _folder;
    private readonly LogLines _log;

    private Site(WebApplication app, Uri url, string state, string? folder, ManualClock clock, IReadOnlyList<string> said, LogLines log) =>
        (_app, Url, State, _folder, Clock, Said, _log) = (app, url, state, folder, clock, said, log);

    public Uri Url { get; }

    public string State { get; }

    public ManualClock Clock { get; }

    /// <summary>What it told whoever started it.</summary>
    public IReadOnlyList<string> Said { get; }

    public IEnumerable<string> Log => _log.Lines;

    public IServiceProvider Services => _app.Services;

    public Migrator Migrator => Services.GetRequiredService<Migrator>();

    public Accounts Accounts => Services.GetRequiredService<Accounts>();

    public Tokens Tokens => Services.GetRequiredService<Tokens>();

    public IAccountStore Store => Services.GetRequiredService<IAccountStore>();

    /// <summary>The path of the first admin's link.</summary>
    public string SetupPath => Services.GetRequiredService<SetupLink>().Path;

    public static async Task<Site> StartAsync(Func<ServeOptions, ServeOptions>? change = null, string? state = null)
    {
        var folder = state is null ? Directory.CreateTempSubdirectory("godwit-site-").FullName : null;
        state ??= Path.Combine(folder!, "state.db");
        var clock = new ManualClock(DateTimeOffset.UtcNow);
        var options = new ServeOptions { Listen = new IPEndPoint(IPAddress.Loopback, 0), RunsWorker = false };
        var app = GodwitServer.Build(
            change?.Invoke(options) ?? options, new ClickHouseOptions { Url = new Uri("http://127.0.0.1:9") }, StoreLocation.Sqlite(state), new MigratorOptions { Clock = clock });
        var log = new LogLines();
        app.Services.GetRequiredService<ILoggerFactory>().AddProvider(log);
        List<string> said = [];
        return new Site(app, await GodwitServer.StartAsync(app, said.Add, CancellationToken.None), state, folder, clock, said, log);
    }

    /// <summary>Makes a user with <see cref="Password"/>.</summary>
    public async Task AddAsync(string name, Role role) => (await Accounts.AddAsync(name, role, Password, CancellationToken.None)).ShouldBeEmpty();

    /// <summary>A browser that nobody is logged in with.</summary>
    public Visitor NewVisitor() => new(Url);

    /// <summary>A browser with a session of a user, who is made when there is none of that name.</summary>
    public async Task<Visitor> VisitorOfAsync(Role role, string? name = null)
    {
        name ??= role.ToString().ToLowerInvariant();
        if (await Accounts.FindAsync(name, CancellationToken.None) is null)
        {
            await AddAsync(name, role);
        }

        var browser = NewVisitor();
        browser.SetCookie("godwit_session", await Services.GetRequiredService<Sessions>().BeginAsync((await Accounts.FindAsync(name, CancellationToken.None))!, CancellationToken.None));
        return browser;
    }

    /// <summary>The audit trail, the newest first, as lines.</summary>
    public async Task<IReadOnlyList<string>> AuditAsync() =>
        [.. (await Migrator.AuditAsync(200)).Select(e => $"{e.Who} from {e.From}: {e.Action} {e.Subject}{(e.Details is null ? "" : $" ({e.Details})")}")];

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        if (_folder is not null)
        {
            Directory.Delete(_folder, recursive: true);
        }
    }

    private sealed class LogLines : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Enqueue($"{logLevel}: {formatter(state, exception)}{(exception is null ? "" : $" {exception}")}");

        public void Dispose()
        {
        }
    }
}
