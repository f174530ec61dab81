using Godwit.ClickHouse;
using Godwit.Metadata;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Godwit.Hosting;

/// <summary>Reads what the host's configuration says; <see cref="GodwitOptions"/> lists it.</summary>
internal sealed class GodwitConfiguration(IServiceProvider services) : IConfigureOptions<GodwitOptions>
{
    private readonly IConfiguration? _configuration = services.GetService<IConfiguration>();

    // What cannot be read keeps the host from starting; something stands in its place, so that nobody is told that it is missing as well.
    public void Configure(GodwitOptions options)
    {
        options.ClickHouse = Server(options);
        options.Store = Store(options);
        options.Cluster = Cluster();
        options.AppVersion = Read("AppVersion", "GODWIT_APP_VERSION").Value;
        options.Kafka = Read("Kafka", "GODWIT_KAFKA").Value;
        options.HookFolder = Read("Hooks", "GODWIT_HOOKS").Value;
        if (Read("Migrations", "GODWIT_MIGRATIONS").Value is { } path)
        {
            options.Migrations.AddPath(path);
        }

        foreach (var pack in Read("Packs", "GODWIT_PACKS").Value?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [])
        {
            try
            {
                options.Migrations.AddPack(pack);
            }
            catch (FileNotFoundException e)
            {
                options.Unreadable.Add($"Godwit:Packs: {e.Message}");
            }
        }

        if (Read("RunWorker", null).Value is { } text)
        {
            options.RunWorker = !bool.TryParse(text, out var runs) || runs;
            options.Unreadable.AddRange(bool.TryParse(text, out _) ? [] : [$"Godwit:RunWorker: '{text}' is not true or false."]);
        }
    }

    private ClickHouseOptions? Server(GodwitOptions options)
    {
        var (url, from) = Read("ClickHouse:Url", "GODWIT_SERVER");
        if (url is null)
        {
            return null;
        }

        if (!ClickHouseOptions.TryParse(url, out var server, out var error))
        {
            options.Unreadable.Add($"{from}: {error}");
            return new ClickHouseOptions { Url = new Uri("http://127.0.0.1:8123") };
        }

        // As for the command line: a login in the address wins over the variables, and what names it alone over both.
        var login = url.Contains('@', StringComparison.Ordinal);
        var user = Read("ClickHouse:User", login ? null : "GODWIT_USER").Value;
        var password = Read("ClickHouse:Password", login && server.Password != Secret.None ? null : "GODWIT_PASSWORD").Value;
        return server with
        {
            User = user ?? server.User,
            Password = password is null ? server.Password : new Secret(password),
            CaCertificateFile = Read("ClickHouse:CaCertificateFile", null).Value,
        };
    }

    private ClusterOptions? Cluster() => Read("Cluster", "GODWIT_CLUSTER").Value is not { } name
        ? null
        : new ClusterOptions(name)
        {
            Nodes = Read("Nodes", "GODWIT_NODES").Value?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [],
        };

    private StoreLocation? Store(GodwitOptions options)
    {
        var (text, from) = Read("Store", "GODWIT_STATE");
        if (text is null)
        {
            return null;
        }

        if (StoreLocation.TryParse(text, out var location, out var error))
        {
            return location;
        }

        options.Unreadable.Add($"{from}: {error}");
        return StoreLocation.Sqlite("godwit.db");
    }

    /// <summary>A value and where it stands; empty ones are as good as none.</summary>
    private (string? Value, string From) Read(string key, string? variable)
    {
        var section = $"Godwit:{key}";
        return _configuration?[section] is { Length: > 0 } value
            ? (value, section)
            : (variable is not null && _configuration?[variable] is { Length: > 0 } set ? set : null, variable ?? section);
    }
}
