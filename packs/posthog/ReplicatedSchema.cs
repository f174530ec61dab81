using Godwit.ClickHouse;
using Godwit.Migrations;
using Godwit.Operations;

namespace Godwit.Pack.PostHog;

/// <summary>0004: nine tables become replicated ones, and two of them sharded, so that nodes can be added.</summary>
/// <remarks>
/// The rows come by links, so neither their number nor the disk matters. All that can be made beforehand is made while rows keep arriving. Then the views
/// that Kafka writes through are dropped, which waits for blocks that have begun, the rows are linked and counted, and all names change hands in one
/// statement; Kafka keeps what arrives meanwhile.
/// </remarks>
public sealed class ReplicatedSchema : PostHogMigration
{
    internal const string Key = "0004_replicated_schema";

    private const string Cluster = "cluster";
    private static readonly string[] InPaths = ["shard", "replica"];

    /// <inheritdoc/>
    public override string Name => Key;

    /// <inheritdoc/>
    public override string Description => "Tables are replicated, and those of events and recordings sharded";

    /// <inheritdoc/>
    public override IReadOnlyList<string> DependsOn => [FillPersonDistinctId2.Key];

    /// <inheritdoc/>
    public override IReadOnlyList<MigrationCheck> Checks =>
    [
        Check("one-node", CheckScope.Precheck, (_, context, ct) => OneNodeAsync(context, ct)),
        Check("macros", CheckScope.Precheck, (_, context, ct) => MacrosAsync(context, ct)),
        Check("leftovers", CheckScope.Precheck, (schema, _, _) => Task.FromResult(Leftovers(schema))),
        Check("free-disk", CheckScope.Healthcheck, (schema, context, ct) => DiskChecks.RequireLeastAsync(context, (schema.Events ?? schema.Find("events")!).Name, ct)),
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<MigrationCode> Code => [.. TwinMerges.Code, TwinPair.Code()];

    private protected override IReadOnlyList<Parameter> Own =>
    [
        new(Cluster, ParameterType.Identifier) { Default = "posthog", Help = "The cluster in remote_servers over which events are to be spread; this server alone as yet." },
    ];

    private protected override async Task<Requirement> IsRequiredAsync(PostHogSchema schema, MigrationContext context, CancellationToken ct)
    {
        if (schema.Find("events")!.Engine == "Distributed")
        {
            return new Requirement(false, $"{schema.Name("events")} is Distributed already.");
        }

        return await context.ClickHouse.ScalarAsync<long>("SELECT toInt64(count()) FROM system.tables WHERE database = 'system' AND name = 'zookeeper'", ct: ct) > 0
            ? new Requirement(true, $"{schema.Name("events")} is not Distributed, and this server has a keeper.")
            : new Requirement(false, $"{context.ClickHouse.Name} has no keeper, without which nothing can be replicated.");
    }

    private protected override async Task<IReadOnlyList<Operation>> PlanAsync(PostHogSchema schema, MigrationContext context, CancellationToken ct)
    {
        List<ReplicatedTable> tables = [];
        foreach (var table in ReplicatedTable.Names.Select(schema.Find).OfType<PostHogTable>().Where(t => t.HasRows && !t.IsReplicated))
        {
            tables.Add(await ReplicatedTable.ReadAsync(schema, table, context.Parameters.Get<string>(Cluster), context, ct));
        }

        return
        [
            .. tables.Select(t => t.CreateTwin),
            .. tables.SelectMany(t => t.Views).Select(v => new DropOperation(v.Name)),
            TwinMerges.Hold([.. tables.SelectMany(t => t.Both)]),
            .. tables.Select(t => t.Link),
            TwinPair.Compare([.. tables.Select(t => t.Pair)]),
            new RenameOperation([.. tables.SelectMany(t => t.Renamings)]) { Description = $"Give the names of {tables.Count} tables to their replicated twins" },
            TwinMerges.LetGoOn([.. tables.SelectMany(t => t.BothAfter)]),
            .. tables.SelectMany(t => t.CreateOver),
            .. tables.SelectMany(t => t.CreateViews),
        ];
    }

    private static async Task<CheckAnswer> OneNodeAsync(MigrationContext context, CancellationToken ct)
    {
        var name = context.Parameters.Get<string>(Cluster);
        var nodes = await context.ClickHouse.QueryAsync($"SELECT host_name, toInt64(is_local) AS here FROM system.clusters WHERE cluster = {Sql.Literal(name)}", ct: ct);
        return nodes switch
        {
            [] => CheckAnswer.Refuse($"{context.ClickHouse.Name} knows no cluster {name}: add it to remote_servers with this server alone, or name another one with --set {Cluster}=NAME."),
            [var only] when only.Int64("here") == 1 => CheckAnswer.Ok(),
            [_] => CheckAnswer.Refuse($"The one node of the cluster {name} is not {context.ClickHouse.Name}: run this on that node."),
            _ => CheckAnswer.Refuse($"The cluster {name} has {nodes.Count} nodes. It must have this one alone as yet: the tables of the others would have to be merged with those here."),
        };
    }

    private static async Task<CheckAnswer> MacrosAsync(MigrationContext context, CancellationToken ct)
    {
        var macros = (await context.ClickHouse.QueryAsync("SELECT macro FROM system.macros", ct: ct)).Select(r => r["macro"]).ToList();
        var missing = InPaths.Except(macros, StringComparer.Ordinal).ToList();
        return CheckAnswer.Require(missing.Count == 0, $"{context.ClickHouse.Name} has no macro {string.Join(" and no macro ", missing)}: add <macros> to its configuration, since the paths in the keeper are made of them.");
    }

    private static CheckAnswer Leftovers(PostHogSchema schema)
    {
        var left = ReplicatedTable.Names.SelectMany(t => new[] { ReplicatedTable.Twin(t), ReplicatedTable.Backup(t), $"sharded_{t}", $"writable_{t}" }).Where(t => schema.Find(t) is not null).Select(schema.Name).ToList();
        return CheckAnswer.Require(left.Count == 0, $"{string.Join(", ", left)} is there already: drop what is left of an earlier attempt, or give it another name.");
    }
}
