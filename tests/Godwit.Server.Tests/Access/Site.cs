using System.Collections.Concurrent;
using Godwit.Fixtures;
using Godwit.Metadata.Accounts;
using Godwit.Server.Access;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Shouldly;

namespace Godwit.Server.Tests.Access;

/// <summary>A server with a clock that stands still, for pages that need no ClickHouse: there is none.</summary>
internal sealed class Site : IAsyncDisposable
{
    public const string Password = ServerFixture.Password;

    private readonly ServerFixture _server;
    private readonly LogLines _log;

    private Site(ServerFixture server, ManualClock clock, LogLines log) => (_server, Clock, _log) = (server, clock, log);

    public Uri Url => _server.Url;

    public string State => _server.State;

    public ManualClock Clock { get; }

    /// <summary>What it told whoever started it.</summary>
    public IReadOnlyList<string> Said => _server.Said;

    public IEnumerable<string> Log => _log.Lines;

    public IServiceProvider Services => _server.Services;

    public Migrator Migrator => _server.Migrator;

    public Accounts Accounts => Services.GetRequiredService<Accounts>();

    public Tokens Tokens => Services.GetRequiredService<Tokens>();

    public IAccountStore Store => _server.AccountStore;

    /// <summary>The path of the first admin's link.</summary>
    public string SetupPath => Services.GetRequiredService<SetupLink>().Path;

    public static async Task<Site> StartAsync(Func<ServeOptions, ServeOptions>? change = null, string? state = null)
    {
        var (clock, log) = (new ManualClock(DateTimeOffset.UtcNow), new LogLines());
        var setup = new ServerSetup { RunsWorker = false, State = state, Clock = clock, Log = log, Options = change ?? (options => options) };
        return new Site(await ServerFixture.StartAsync(new Uri("http://127.0.0.1:9"), setup), clock, log);
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

    public ValueTask DisposeAsync() => _server.DisposeAsync();

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
