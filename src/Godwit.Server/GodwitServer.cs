using Godwit.ClickHouse;
using Godwit.Hosting;
using Godwit.Metadata;
using Godwit.Metadata.Accounts;
using Godwit.Server.Access;
using Godwit.Server.Api;
using Godwit.Server.Assets;
using Godwit.Server.Live;
using Godwit.Server.Metrics;
using Godwit.Server.Pages;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Radzen;

namespace Godwit.Server;

/// <summary>One process with the REST API, the pages and a worker, over one <see cref="Migrator"/>.</summary>
public static class GodwitServer
{
    /// <summary>Builds it; nothing is connected to and nobody is listened to before it is started.</summary>
    /// <param name="options">How it is reached.</param>
    /// <param name="server">The ClickHouse server that holds the tables.</param>
    /// <param name="store">Where runs and accounts are kept.</param>
    /// <param name="migrator">What else migrations work with.</param>
    /// <exception cref="ArgumentException">Something is wrong with the options.</exception>
    public static WebApplication Build(ServeOptions options, ClickHouseOptions server, StoreLocation store, MigratorOptions migrator)
    {
        if (options.Problems() is { Count: > 0 } problems)
        {
            throw new ArgumentException(string.Join(' ', problems), nameof(options));
        }

        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = typeof(GodwitServer).Assembly.GetName().Name });
        Log(builder.Logging, options.Logs);
        Listener.Configure(builder.WebHost, options);
        var services = builder.Services;
        services.AddRouting();
        services.AddSingleton(options);
        services.AddSingleton(migrator.Clock);
        services.AddSingleton(_ => store.OpenAccounts(migrator.Clock));
        services.AddGodwit(_ => new GodwitInstance(server, store, migrator, options.RunsWorker));
        services.AddAccess(options);
        services.AddFailures();
        services.AddApi();
        services.AddScraping();
        services.AddSingleton<AssetFiles>();
        services.AddSingleton(typeof(LiveHub<>));
        services.AddSingleton<Fragments>();
        services.AddSingleton<RunPage>();
        services.AddSingleton<OverviewPage>();
        services.AddRazorComponents();
        services.AddRadzenComponents();
        services.AddCascadingAuthenticationState();
        services.AddHttpContextAccessor();

        var app = builder.Build();
        app.UseAccess(options);
        app.UseApi();
        app.UseScraping();
        app.MapAssets();
        app.MapApi();
        app.MapLive();
        app.MapHealth();
        app.MapScraping();
        app.MapTheme();
        app.MapFragments();
        app.MapLogout();
        if (options.OpenId is not null)
        {
            app.MapOpenId();
        }

        app.MapRazorComponents<Document>();
        return app;
    }

    /// <summary>Starts it, and says where it is and, while there is no user, how the first one is made.</summary>
    /// <param name="app">What <see cref="Build"/> made.</param>
    /// <param name="say">Is told the sentences.</param>
    /// <param name="ct">Gives up.</param>
    /// <returns>Its address.</returns>
    /// <exception cref="IOException">The port is taken, or the certificate cannot be used.</exception>
    public static async Task<Uri> StartAsync(WebApplication app, Action<string> say, CancellationToken ct)
    {
        var isFirst = await app.Services.GetRequiredService<Accounts>().IsEmptyAsync(ct);
        await app.StartAsync(ct);
        var address = new Uri(app.Urls.First().Replace("0.0.0.0", "127.0.0.1", StringComparison.Ordinal).Replace("[::]", "[::1]", StringComparison.Ordinal));
        say($"Godwit serves {app.Services.GetRequiredService<Migrator>().Node} at {address}");
        if (isFirst)
        {
            say($"Nobody can log in yet. This link, which works once, makes the first admin: {new Uri(address, app.Services.GetRequiredService<SetupLink>().Path)}");
        }

        return address;
    }

    /// <summary>Makes a user, for programs that bring their own.</summary>
    /// <exception cref="ArgumentException">The name or the password is not good, or there is such a user.</exception>
    public static async Task AddUserAsync(WebApplication app, string name, Role role, string password, CancellationToken ct)
    {
        if (await app.Services.GetRequiredService<Accounts>().AddAsync(name, role, password, ct) is { Count: > 0 } problems)
        {
            throw new ArgumentException(string.Join(' ', problems), nameof(name));
        }
    }

    /// <summary>The migrator that it serves.</summary>
    public static Migrator MigratorOf(WebApplication app) => app.Services.GetRequiredService<Migrator>();

    /// <summary>Serves until it is cancelled; then lets go of what the worker was doing, for another one to go on with.</summary>
    public static async Task RunAsync(WebApplication app, CancellationToken ct)
    {
        var stopped = app.Lifetime.ApplicationStopping;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, stopped);
        await Task.Delay(Timeout.InfiniteTimeSpan, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await app.StopAsync(CancellationToken.None);
    }

    // A line an event. As JSON, where run ids and addresses are fields of their own, unless a person looks on.
    private static void Log(ILoggingBuilder logging, LogLevel least)
    {
        logging.SetMinimumLevel(least);
        if (Console.IsOutputRedirected)
        {
            logging.AddJsonConsole(json => (json.UseUtcTimestamp, json.TimestampFormat) = (true, "yyyy-MM-dd'T'HH:mm:ss.fff'Z'"));
        }
        else
        {
            logging.AddSimpleConsole(line => (line.SingleLine, line.UseUtcTimestamp, line.TimestampFormat) = (true, true, "HH:mm:ss "));
        }

        logging.AddFilter("Microsoft", LogLevel.Warning);
        logging.AddFilter("System", LogLevel.Warning);

        // That it could not start is said in a sentence, without the stack.
        logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);

        // They say what they do themselves.
        logging.AddFilter(typeof(TokenHandler).FullName, LogLevel.Warning);
        logging.AddFilter(typeof(SessionHandler).FullName, LogLevel.Warning);

        // Their warnings are of what is meant: keys lie beside the accounts that they protect, and nothing is cached.
        logging.AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error);
        logging.AddFilter("Microsoft.AspNetCore.Antiforgery", LogLevel.Error);
    }
}
