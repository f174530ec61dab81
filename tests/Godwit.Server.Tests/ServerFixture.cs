using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using Godwit.ClickHouse;
using Godwit.Fixtures;
using Godwit.Metadata;
using Godwit.Metadata.Accounts;
using Godwit.Server.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Shouldly;

namespace Godwit.Server.Tests;

/// <summary>
/// The real server on a free port, over a real engine and a state file of its own, with a user for each role. Several of them may share a state:
/// give <see cref="State"/> of the first one to the others.
/// </summary>
public sealed class ServerFixture : IAsyncDisposable
{
    /// <summary>The password of every user that the fixture makes.</summary>
    public const string Password = "correct horse battery";

    private readonly WebApplication _app;
    private readonly string? _folder;
    private readonly ConcurrentDictionary<Role, Task<string>> _tokens = new();

    private bool _isEnded;

    private ServerFixture(WebApplication app, Uri url, string state, string? folder, IReadOnlyList<string> said) => (_app, Url, State, _folder, Said) = (app, url, state, folder, said);

    /// <summary>Where it is.</summary>
    public Uri Url { get; }

    /// <summary>The state file, or the address of the database that stands for it.</summary>
    public string State { get; }

    /// <summary>What it told whoever started it, such as the one-time link of the first admin.</summary>
    public IReadOnlyList<string> Said { get; }

    /// <summary>What it works with.</summary>
    public IServiceProvider Services => _app.Services;

    /// <summary>The one door.</summary>
    public Migrator Migrator => Services.GetRequiredService<Migrator>();

    /// <summary>The people and programs.</summary>
    public IAccountStore AccountStore => Services.GetRequiredService<IAccountStore>();

    /// <summary>Starts one.</summary>
    /// <param name="engine">The ClickHouse that holds the tables; stays the caller's.</param>
    /// <param name="setup">What is special about it; null for nothing.</param>
    public static Task<ServerFixture> StartAsync(EngineFixture engine, ServerSetup? setup = null) => StartAsync(engine.Url, setup ?? new ServerSetup());

    /// <summary>Starts one.</summary>
    /// <param name="clickHouse">The server that holds the tables; it need not be there.</param>
    /// <param name="setup">What is special about it.</param>
    public static async Task<ServerFixture> StartAsync(Uri clickHouse, ServerSetup setup)
    {
        var folder = setup.State is null ? Directory.CreateTempSubdirectory("godwit-server-").FullName : null;
        var state = setup.State ?? Path.Combine(folder!, "state.db");
        var options = setup.Options(new ServeOptions
        {
            Listen = new IPEndPoint(IPAddress.Loopback, 0),
            RunsWorker = setup.RunsWorker,

            // Beside a test that failed only what went wrong is of use.
            Logs = setup.Log is null ? LogLevel.Error : LogLevel.Information,
        });
        var migrator = new MigratorOptions { Migrations = setup.Migrations, AppVersion = setup.AppVersion, Clock = setup.Clock };
        StoreLocation.TryParse(state, out var store, out var problem).ShouldBeTrue(problem);
        var app = GodwitServer.Build(options, new ClickHouseOptions { Url = clickHouse }, store!, migrator);
        if (setup.Log is { } log)
        {
            app.Services.GetRequiredService<ILoggerFactory>().AddProvider(log);
        }

        List<string> said = [];
        return new ServerFixture(app, await GodwitServer.StartAsync(app, said.Add, CancellationToken.None), state, folder, said);
    }

    /// <summary>The name of the user of a role that the fixture makes: <c>viewer</c>, <c>operator</c> or <c>admin</c>.</summary>
    public static string NameOf(Role role) => role.ToString().ToLowerInvariant();

    /// <summary>A token of the user of that role, which is made if need be.</summary>
    public Task<string> TokenAsync(Role role) => _tokens.GetOrAdd(role, r => NewTokenAsync(r, r));

    /// <summary>Another token of the user of a role, which may be good for less than its user.</summary>
    public async Task<string> NewTokenAsync(Role user, Role role, int days = 1) =>
        (await Services.GetRequiredService<Tokens>().MakeAsync(await UserAsync(user), $"test {Guid.NewGuid():N}", role, days, CancellationToken.None)).Token!;

    /// <summary>The user of that role, who is made if need be; logs in with <see cref="Password"/>.</summary>
    public async Task<UserRecord> UserAsync(Role role)
    {
        await Services.GetRequiredService<Accounts>().AddAsync(NameOf(role), role, Password, CancellationToken.None);
        return (await AccountStore.FindUserAsync(NameOf(role)))!;
    }

    /// <summary>The cookie of a session of the user of that role, as a browser sends it.</summary>
    public async Task<string> CookieAsync(Role role) => $"godwit_session={await Services.GetRequiredService<Sessions>().BeginAsync(await UserAsync(role), CancellationToken.None)}";

    /// <summary>A program with a token of the user of that role.</summary>
    public async Task<HttpClient> ClientAsync(Role role) => Client(await TokenAsync(role));

    /// <summary>A program with a token, or with none. It follows no redirect and keeps no cookie.</summary>
    public HttpClient Client(string? token = null)
    {
        var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false }) { BaseAddress = Url };
        client.DefaultRequestHeaders.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        return client;
    }

    /// <summary>Ends it as a service manager does: the worker lets go of its runs. It may be done before the end of the test.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_isEnded)
        {
            return;
        }

        _isEnded = true;
        await _app.StopAsync();
        await _app.DisposeAsync();
        if (_folder is not null)
        {
            Directory.Delete(_folder, recursive: true);
        }
    }
}
