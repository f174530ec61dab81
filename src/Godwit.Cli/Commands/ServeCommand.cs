using System.CommandLine;
using System.Globalization;
using System.Net;
using Godwit.Checks;
using Godwit.Cli.Arguments;
using Godwit.Cli.Commands.Migrations;
using Godwit.ClickHouse;
using Godwit.Metadata;
using Godwit.Metadata.Accounts;
using Godwit.Server;

namespace Godwit.Cli.Commands;

/// <summary><c>godwit serve</c>: the REST API, the pages and a worker, until it is stopped.</summary>
internal static class ServeCommand
{
    private static readonly Option<IPEndPoint?> Listen = Opt.Parsed<IPEndPoint?>(
        "--listen", "ADDRESS:PORT", $"Where it listens [127.0.0.1:{ServeOptions.DefaultPort}]", ReadEndPoint);

    private static readonly Option<string[]> Hosts = Opt.Many("--host", "NAME", "A name by which browsers call it, besides this machine's addresses; repeatable");

    private static readonly Option<string> Certificate = Opt.Text("--certificate", "FILE", "A PEM file with the certificate for HTTPS");

    private static readonly Option<string> CertificateKey = Opt.Text("--certificate-key", "FILE", "A PEM file with its key, when it is not in the same file");

    private static readonly Option<IPAddress?> Proxy = Opt.Parsed<IPAddress?>("--proxy", "ADDRESS", "A proxy that speaks HTTPS in front of it, and says who calls", ReadAddress);

    private static readonly Option<bool> NoWorker = Opt.Flag("--no-worker", "Do not work on runs; other processes do");

    private static readonly Option<string> OpenId = Opt.Text("--openid", "URL", "An OpenID Connect provider by which people log in; its secret in GODWIT_OPENID_SECRET");

    private static readonly Option<string> OpenIdClient = Opt.Text("--openid-client", "ID", "What the provider calls Godwit [godwit]");

    private static readonly Option<string> OpenIdClaim = Opt.Text("--openid-claim", "NAME", "The claim that names a person's groups [groups]");

    private static readonly Option<string[]> OpenIdRoles = Opt.Many("--openid-role", "ROLE=GROUP", "Whom it lets in: viewer, operator or admin; repeatable");

    /// <summary>The verb.</summary>
    public static Verb Verb { get; } = new("serve", "Serve the web pages and the REST API, and work on runs, until stopped", RunAsync)
    {
        Groups = [("Server", [Listen, Hosts, Certificate, CertificateKey, Proxy, NoWorker]), ("Log in by an identity provider", [OpenId, OpenIdClient, OpenIdClaim, OpenIdRoles])],
        Examples = ["godwit serve --migrations ./migrations", "godwit serve --listen 0.0.0.0:443 --certificate godwit.pem --host godwit.example.com"],
    };

    private static async Task<int> RunAsync(Invocation call)
    {
        List<string> problems = [];
        var migrator = MigrationArguments.Options(call, problems);
        var server = ServerOptions.Server(call, problems);
        var state = ServerOptions.StateFile(call, problems);
        var options = Read(call, problems);
        problems.AddRange(options.Problems());
        if (problems.Count > 0 || !StoreLocation.TryParse(state, out var store, out _))
        {
            throw new InvalidRequestException(problems);
        }

        return await ServeAsync(call, options, server, store, migrator);
    }

    private static async Task<int> ServeAsync(Invocation call, ServeOptions options, ClickHouseOptions server, StoreLocation store, MigratorOptions migrator)
    {
        await using var app = GodwitServer.Build(options, server, store, migrator);
        await GodwitServer.StartAsync(app, call.Output.Error.WriteLine, call.Token);
        var manager = new ServiceManager(call.Environment.Variable("NOTIFY_SOCKET"));
        manager.Tell("READY=1");
        using var stopping = app.Lifetime.ApplicationStopping.Register(() => manager.Tell("STOPPING=1"));
        await GodwitServer.RunAsync(app, call.Token);
        return ExitCodes.Done;
    }

    private static ServeOptions Read(Invocation call, List<string> problems) => new()
    {
        Listen = call.Get(Listen) ?? new IPEndPoint(IPAddress.Loopback, ServeOptions.DefaultPort),
        Hosts = call.All(Hosts),
        CertificateFile = call.Get(Certificate),
        KeyFile = call.Get(CertificateKey),
        Proxy = call.Get(Proxy),
        RunsWorker = !call.Has(NoWorker),
        OpenId = ReadOpenId(call, problems),
    };

    private static OpenIdOptions? ReadOpenId(Invocation call, List<string> problems)
    {
        if (call.Get(OpenId) is not { } address)
        {
            return null;
        }

        if (!Uri.TryCreate(address, UriKind.Absolute, out var authority))
        {
            problems.Add($"--openid: '{address}' is not the address of a provider, such as https://login.example.com/realms/main.");
            return null;
        }

        Dictionary<string, Role> roles = new(StringComparer.Ordinal);
        foreach (var text in call.All(OpenIdRoles))
        {
            var at = text.IndexOf('=', StringComparison.Ordinal);
            if (at <= 0 || !Enum.TryParse<Role>(text[..at], ignoreCase: true, out var role) || !Enum.IsDefined(role))
            {
                problems.Add($"--openid-role {text}: write viewer=GROUP, operator=GROUP or admin=GROUP.");
            }
            else
            {
                roles[text[(at + 1)..]] = role;
            }
        }

        return new OpenIdOptions(authority, call.Get(OpenIdClient) ?? "godwit", new Secret(call.Environment.Variable("GODWIT_OPENID_SECRET") ?? ""))
        {
            RoleClaim = call.Get(OpenIdClaim) ?? "groups",
            Roles = roles,
        };
    }

    private static IPEndPoint ReadEndPoint(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port <= ushort.MaxValue
        ? new IPEndPoint(IPAddress.Loopback, port)
        : IPEndPoint.TryParse(text.Replace("localhost", "127.0.0.1", StringComparison.OrdinalIgnoreCase), out var point) && text.Contains(':', StringComparison.Ordinal)
            ? point
            : throw new FormatException($"'{text}' is not an address and a port, such as 127.0.0.1:8460 or 0.0.0.0:443.");

    private static IPAddress ReadAddress(string text) => IPAddress.TryParse(text, out var address) ? address : throw new FormatException($"'{text}' is not an IP address.");
}
