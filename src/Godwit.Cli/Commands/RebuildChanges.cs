using System.CommandLine;
using Godwit.Cli.Arguments;
using Godwit.ClickHouse;
using Godwit.Rebuild;

namespace Godwit.Cli.Commands;

/// <summary>The options of <c>godwit rebuild</c> that say what the table is to become.</summary>
internal static class RebuildChanges
{
    private const int LargestDdl = 1 << 20;

    private static readonly Option<string> OrderBy = Opt.Text("--order-by", "EXPR", "The sorting key; tuple() for none");
    private static readonly Option<string> PrimaryKey = Opt.Text("--primary-key", "EXPR", "The primary key, a beginning of the sorting key");
    private static readonly Option<string> PartitionBy = Opt.Text("--partition-by", "EXPR", "The partition key; tuple() for none");
    private static readonly Option<string> SampleBy = Opt.Text("--sample-by", "EXPR", "The sampling expression");
    private static readonly Option<string> Engine = Opt.Text("--engine", "ENGINE", "The engine with its arguments, such as 'ReplacingMergeTree(version)'");
    private static readonly Option<string> Ttl = Opt.Text("--ttl", "EXPR", "The table's TTL");
    private static readonly Option<string[]> AddColumn = Opt.Many("--add-column", "DEF", "A new column, such as \"country String DEFAULT ''\"; repeatable");
    private static readonly Option<string[]> ModifyColumn = Opt.Many("--modify-column", "DEF", "The full new definition of a column; repeatable");
    private static readonly Option<string[]> DropColumn = Opt.Many("--drop-column", "NAME", "A column to leave out; repeatable");
    private static readonly Option<string[]> Setting = Opt.Many("--setting", "K=V", "A table setting; repeatable");
    private static readonly Option<string> Ddl = Opt.Text("--ddl", "FILE", "A CREATE TABLE statement instead of all the above");

    private static readonly Option<string> PauseHook = Opt.Text("--pause-hook", "HOOK", "What pauses the writers: sql:…, https://…, env:NAME, file:/PATH or command:NAME");
    private static readonly Option<string> ResumeHook = Opt.Text("--resume-hook", "HOOK", "What lets them go on, however the pause ends");
    private static readonly Option<TimeSpan?> HookTimeout = Opt.Parsed<TimeSpan?>("--hook-timeout", "TIME", "How long each hook may take [30s]", text => Durations.Read(text));

    /// <summary>The options, in the order of the help.</summary>
    public static IReadOnlyList<Option> Options { get; } =
        [OrderBy, PrimaryKey, PartitionBy, SampleBy, Engine, Ttl, AddColumn, ModifyColumn, DropColumn, Setting, Ddl];

    /// <summary>How new rows are caught.</summary>
    public static Option<string> Strategy { get; } = Opt.Parsed(
        "--strategy",
        "NAME",
        "block-log (rows keep arriving), pause-feed (what writes is held for a moment), second-consumer (Kafka fills both tables) or static (nobody writes) [what the feed asks for]",
        Opt.OneOf(["auto", .. RebuildRequest.Strategies]));

    /// <summary>What is the same row to two consumers.</summary>
    public static Option<string> Identity { get; } = Opt.Text("--identity", "COLUMNS", "For second-consumer: the columns that tell a message from all others [uuid]");

    /// <summary>What need not be copied.</summary>
    public static Option<bool> MaterializeLater { get; } = Opt.Flag("--materialize-later", "For second-consumer: add MATERIALIZED columns after the copy; they are computed when read, until merges store them");

    /// <summary>What pauses writers that are not Kafka tables.</summary>
    public static IReadOnlyList<Option> Hooks => [PauseHook, ResumeHook, HookTimeout];

    /// <summary>Warnings that were read.</summary>
    public static Option<string[]> Accept { get; } = Opt.Many("--accept", "CODE", "Accept the warning of this code, such as key-identity; repeatable");

    /// <summary>The request; what is wrong with it is added to <paramref name="problems"/>.</summary>
    public static RebuildRequest? Read(Invocation call, string table, List<string> problems)
    {
        if (!QualifiedName.TryParse(table, out var name, out var error))
        {
            problems.Add(error);
        }

        var file = call.Get(Ddl);
        var request = new RebuildRequest
        {
            Table = name ?? new QualifiedName("", ""),
            Ddl = file is null ? null : InputFile.Read(file, "--ddl", LargestDdl, problems),
            OrderBy = call.Get(OrderBy),
            PrimaryKey = call.Get(PrimaryKey),
            PartitionBy = call.Get(PartitionBy),
            SampleBy = call.Get(SampleBy),
            Engine = call.Get(Engine),
            Ttl = call.Get(Ttl),
            AddColumns = call.All(AddColumn),
            ModifyColumns = call.All(ModifyColumn),
            DropColumns = call.All(DropColumn),
            Settings = call.All(Setting),
            Strategy = call.Get(Strategy) ?? "auto",
            Identity = call.Get(Identity),
            MaterializeLater = call.Get(MaterializeLater),
            PauseHook = call.Get(PauseHook),
            ResumeHook = call.Get(ResumeHook),
            HookTimeout = call.Get(HookTimeout) ?? RebuildRequest.DefaultHookTimeout,
            Accept = call.All(Accept),
        };
        AddProblems(request, file is not null, problems);
        return request;
    }

    private static void AddProblems(RebuildRequest request, bool hasFile, List<string> problems)
    {
        problems.AddRange(request.Settings
            .Where(s => s.Split('=', 2) is not [{ Length: > 0 }, { Length: > 0 }])
            .Select(s => $"--setting: '{s}' is not a setting; write it like index_granularity=4096."));
        if (hasFile && request.HasChanges)
        {
            problems.Add("--ddl holds the whole definition, so it cannot be given together with single changes: use one or the other.");
        }
        else if (!hasFile && !request.HasChanges)
        {
            problems.Add("Nothing says what the table is to become: give --order-by, --engine or another change, or --ddl FILE.");
        }
    }
}
