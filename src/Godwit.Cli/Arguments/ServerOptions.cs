using System.CommandLine;
using Godwit.ClickHouse;

namespace Godwit.Cli.Arguments;

/// <summary>The options that every verb has: which server, which state file, which output.</summary>
internal static class ServerOptions
{
    /// <summary>The server when none is named.</summary>
    public const string DefaultServer = "http://127.0.0.1:8123";

    private static readonly Option<string> ServerOption =
        Recursive(Opt.Text("--server", "URL", $"ClickHouse over HTTP or HTTPS [GODWIT_SERVER; {DefaultServer}]"));

    private static readonly Option<string> UserOption = Recursive(Opt.Text("--user", "NAME", "The ClickHouse user [GODWIT_USER; default]"));

    private static readonly Option<string> PasswordFileOption =
        Recursive(Opt.Text("--password-file", "FILE", "A file that holds the password [GODWIT_PASSWORD holds the password itself]"));

    private static readonly Option<string> CaCertificateOption =
        Recursive(Opt.Text("--ca-certificate", "FILE", "A PEM file with the authorities to trust instead of the system's"));

    private static readonly Option<string> StateOption =
        Recursive(Opt.Text("--state", "WHERE", "Where runs are kept: a file, or postgresql://USER@HOST/DATABASE [GODWIT_STATE; ~/.local/state/godwit/godwit.db]"));

    private static readonly Option<string> OutputOption = Recursive(Opt.Parsed(
        "--output", "text|json", "For people, or one JSON document on stdout [text]", Opt.OneOf("text", "json")));

    /// <summary>Where the definitions of migrations are.</summary>
    public static readonly Option<string> Migrations =
        Recursive(Opt.Text("--migrations", "PATH", "A folder or file with migrations, YAML or assemblies [GODWIT_MIGRATIONS]"));

    /// <summary>Ready-made migrations.</summary>
    public static readonly Option<string[]> Packs =
        Recursive(Opt.Many("--pack", "NAME", "Ready-made migrations that come with Godwit, such as posthog; repeatable [GODWIT_PACKS, with commas]"));

    /// <summary>The version of the application that ships them.</summary>
    public static readonly Option<string> AppVersion =
        Recursive(Opt.Text("--app-version", "V", "The version of the application, for migrations with a window [GODWIT_APP_VERSION]"));

    /// <summary>The cluster that the server belongs to.</summary>
    public static readonly Option<string> Cluster =
        Recursive(Opt.Text("--cluster", "NAME", "The server's cluster in system.clusters, for operations on more than one node [GODWIT_CLUSTER]"));

    /// <summary>Its nodes.</summary>
    public static readonly Option<string[]> Nodes =
        Recursive(Opt.Many("--node", "HOST:PORT", "A node of the cluster, where its HTTP port is not the server's; name all [GODWIT_NODES, with commas]"));

    /// <summary>The application's PostgreSQL.</summary>
    public static readonly Option<string> Postgres =
        Recursive(Opt.Text("--postgres", "URL", "The application's PostgreSQL, postgresql://USER@HOST/DATABASE; password in PGPASSWORD [GODWIT_POSTGRES]"));

    /// <summary>The commands that may be called as hooks.</summary>
    public static readonly Option<string> HookFolder =
        Recursive(Opt.Text("--hooks", "FOLDER", "A folder with the commands that hooks may call, as command:NAME [GODWIT_HOOKS]"));

    /// <summary>A Kafka broker.</summary>
    public static readonly Option<string> Kafka =
        Recursive(Opt.Text("--kafka", "HOST:PORT", "A Kafka broker, for migrations that require a version of it [GODWIT_KAFKA]"));

    /// <summary>All of them, in the order of the help.</summary>
    public static IReadOnlyList<Option> All { get; } =
        [ServerOption, UserOption, PasswordFileOption, CaCertificateOption, Cluster, Nodes, Postgres, Kafka, HookFolder, StateOption, Migrations, Packs, AppVersion, OutputOption];

    /// <summary>Whether JSON is asked for. Read before the command line is, since complaints about that are documents, too.</summary>
    public static bool WantsJson(IReadOnlyList<string> args)
    {
        for (var i = args.Count - 1; i >= 0; i--)
        {
            if (args[i] is "--output=json" or "--output:json" || (args[i] is "--output" && i + 1 < args.Count && args[i + 1] is "json"))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The server and the login.</summary>
    public static ClickHouseOptions Server(Invocation call, List<string> problems)
    {
        var url = call.Get(ServerOption) ?? call.Environment.Variable("GODWIT_SERVER") ?? DefaultServer;
        if (!ClickHouseOptions.TryParse(url, out var options, out var error))
        {
            problems.Add(error);
            options = new ClickHouseOptions { Url = new Uri(DefaultServer) };
        }

        // What was written for this call wins over the environment; an address with a login in it counts as written.
        var login = url.Contains('@', StringComparison.Ordinal);
        var user = call.Get(UserOption) ?? (login ? null : call.Environment.Variable("GODWIT_USER"));
        var password = call.Get(PasswordFileOption) is { } file
            ? InputFile.Read(file, "--password-file", 64 << 10, problems)?.TrimEnd('\r', '\n')
            : login && options.Password != Secret.None ? null : call.Environment.Variable("GODWIT_PASSWORD");
        options = options with
        {
            User = user ?? options.User,
            Password = password is null ? options.Password : new Secret(password),
            CaCertificateFile = call.Get(CaCertificateOption),
        };
        problems.AddRange(options.Problems().Except(problems));
        return options;
    }

    /// <summary>The state file, or the address of the database that stands for it.</summary>
    public static string StateFile(Invocation call, List<string> problems)
    {
        if ((call.Get(StateOption) ?? call.Environment.Variable("GODWIT_STATE")) is { } named)
        {
            if (!StoreAddress.IsPostgres(named))
            {
                return Path.GetFullPath(named);
            }

            problems.AddRange(StoreAddress.Problem(named) is { } problem ? [problem] : []);
            return named;
        }

        // A relative path in XDG_STATE_HOME must be ignored, says its specification.
        var home = call.Environment.Variable("HOME");
        var state = call.Environment.Variable("XDG_STATE_HOME") is { } xdg && Path.IsPathRooted(xdg)
            ? xdg
            : home is null ? null : Path.Combine(home, ".local", "state");
        if (state is null)
        {
            problems.Add("There is no HOME to keep the state file in: name one with --state FILE.");
        }

        return Path.Combine(state ?? "/", "godwit", "godwit.db");
    }

    private static Option<T> Recursive<T>(Option<T> option)
    {
        option.Recursive = true;
        return option;
    }
}
