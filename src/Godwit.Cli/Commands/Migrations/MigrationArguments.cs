using System.CommandLine;
using System.Globalization;
using Godwit.Cli.Arguments;
using Godwit.ClickHouse;
using Godwit.Metadata.Postgres;
using Godwit.Migrations;
using Npgsql;

namespace Godwit.Cli.Commands.Migrations;

/// <summary>What the verbs of migrations are told.</summary>
internal static class MigrationArguments
{
    /// <summary>The word before the verbs.</summary>
    public const string Group = "migrations";

    private static readonly Option<string[]> Set = Opt.Many("--set", "NAME=VALUE", "The value of a parameter; repeatable");

    /// <summary>The option that runs what is done.</summary>
    public static readonly Option<bool> Again = Opt.Flag("--again", "Also when it is completed: run it once more");

    /// <summary>Parameters.</summary>
    public static IReadOnlyList<Option> Parameters { get; } = [Set];

    /// <summary>The migration that a verb is about.</summary>
    public static Argument<string> Name() => new("MIGRATION") { Description = "The migration's name", HelpName = "MIGRATION", Arity = ArgumentArity.ExactlyOne };

    /// <summary>The migration and its parameters.</summary>
    public static MigrationRequest Read(Invocation call, string name, List<string> problems)
    {
        Dictionary<string, string> given = new(StringComparer.Ordinal);
        foreach (var text in call.All(Set))
        {
            var at = text.IndexOf('=', StringComparison.Ordinal);
            if (at <= 0)
            {
                problems.Add($"--set {text}: write NAME=VALUE.");
            }
            else if (!given.TryAdd(text[..at], text[(at + 1)..]))
            {
                problems.Add($"--set: {text[..at]} was given twice.");
            }
        }

        return new MigrationRequest(name) { Parameters = given, Again = call.Has(Again) };
    }

    /// <summary>Where the definitions are; null when nobody said it.</summary>
    public static string? Path(Invocation call) => call.Get(ServerOptions.Migrations) ?? call.Environment.Variable("GODWIT_MIGRATIONS");

    /// <summary>The definitions, and the application's version.</summary>
    /// <exception cref="DefinitionException">Something is wrong with them.</exception>
    public static MigratorOptions Options(Invocation call, List<string> problems)
    {
        var version = call.Get(ServerOptions.AppVersion) ?? call.Environment.Variable("GODWIT_APP_VERSION");
        if (version is not null && !VersionRange.IsVersion(version))
        {
            problems.Add($"--app-version: '{version}' is not a version such as 1.42.0.");
        }

        var kafka = call.Get(ServerOptions.Kafka) ?? call.Environment.Variable("GODWIT_KAFKA");
        problems.AddRange(new MigratorOptions { Kafka = kafka }.Problems().Select(p => $"--kafka: {p}"));
        return new MigratorOptions
        {
            Kafka = kafka,
            Migrations = Load(call, problems),
            AppVersion = version,
            Cluster = Cluster(call, problems),
            PostgreSql = PostgreSql(call, problems),
            Clock = call.Environment.Clock,
        };
    }

    private static ClusterOptions? Cluster(Invocation call, List<string> problems)
    {
        var name = call.Get(ServerOptions.Cluster) ?? call.Environment.Variable("GODWIT_CLUSTER");
        IReadOnlyList<string> nodes = call.All(ServerOptions.Nodes) is { Count: > 0 } given
            ? given
            : call.Environment.Variable("GODWIT_NODES")?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];
        problems.AddRange(nodes.Where(n => !IsHostAndPort(n)).Select(n => $"--node: '{n}' is not a host and the port of its HTTP interface, such as ch2.example:8123."));
        if (name is null && nodes.Count > 0)
        {
            problems.Add("--node needs --cluster: name the cluster whose nodes these are.");
        }

        return name is null ? null : new ClusterOptions(name) { Nodes = nodes };
    }

    private static bool IsHostAndPort(string text) =>
        Uri.TryCreate($"http://{text}", UriKind.Absolute, out var uri) && text == $"{uri.Host}:{uri.Port.ToString(CultureInfo.InvariantCulture)}";

    private static NpgsqlDataSource? PostgreSql(Invocation call, List<string> problems)
    {
        if ((call.Get(ServerOptions.Postgres) ?? call.Environment.Variable("GODWIT_POSTGRES")) is not { } address)
        {
            return null;
        }

        if (PostgresAddress.ConnectionString(address) is not { } connection)
        {
            problems.Add($"--postgres: {PostgresAddress.Complaint(address)}");
            return null;
        }

        problems.AddRange(StoreAddress.PasswordProblem("--postgres", new NpgsqlConnectionStringBuilder(connection).Password is { Length: > 0 }));
        return NpgsqlDataSource.Create(connection);
    }

    private static MigrationSet Load(Invocation call, List<string> problems)
    {
        List<string> files = [];
        foreach (var name in Packs(call))
        {
            try
            {
                files.Add(MigrationPack.Find(name));
            }
            catch (FileNotFoundException e)
            {
                problems.Add($"--pack: {e.Message}");
            }
        }

        try
        {
            return MigrationLoader.Load(Path(call) is { } path ? [path, .. files] : files);
        }
        catch (FileNotFoundException e)
        {
            problems.Add($"--migrations: {e.Message}");
            return MigrationSet.Empty;
        }
    }

    private static IReadOnlyList<string> Packs(Invocation call) => call.All(ServerOptions.Packs) is { Count: > 0 } given
        ? given
        : call.Environment.Variable("GODWIT_PACKS")?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];

    /// <summary>The definitions must have been named.</summary>
    public static void Require(Invocation call, List<string> problems)
    {
        if (Path(call) is null && Packs(call).Count == 0)
        {
            problems.Add("Nothing says where the migrations are: name a folder or a file with --migrations PATH or in GODWIT_MIGRATIONS, or a pack with --pack NAME.");
        }
    }
}
