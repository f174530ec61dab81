using Godwit.Operations;

namespace Godwit.Migrations.Yaml;

/// <summary>A migration that was written as YAML. See <see cref="YamlReader"/>.</summary>
internal sealed class YamlMigration(YamlFile file, IReadOnlyDictionary<string, long> lines) : Migration
{
    public override string Name => Definition.Name;

    public override string Description => Definition.Description;

    public override VersionWindow Versions => Definition.Versions;

    public override IReadOnlyList<string> DependsOn => Definition.DependsOn;

    public override IReadOnlyList<ServiceRequirement> Requires => Definition.Requires;

    public override IReadOnlyList<Parameter> Parameters => Definition.Parameters;

    public override IReadOnlyList<MigrationCheck> Checks => Definition.Checks;

    public override TimeSpan HealthcheckInterval => Definition.HealthcheckInterval ?? base.HealthcheckInterval;

    /// <summary>What the file says.</summary>
    public required YamlDefinition Definition { get; init; }

    public override Task<Requirement> IsRequiredAsync(MigrationContext context, CancellationToken ct) =>
        Definition.IsRequiredAsync?.Invoke(context, ct) ?? base.IsRequiredAsync(context, ct);

    public override async Task<IReadOnlyList<Operation>> PlanAsync(MigrationContext context, CancellationToken ct)
    {
        List<Operation> operations = [];
        foreach (var planned in Definition.Operations)
        {
            operations.AddRange(await planned(context, ct));
        }

        return operations;
    }

    public override Task<double?> ProgressAsync(MigrationContext context, CancellationToken ct) =>
        Definition.ProgressAsync?.Invoke(context, ct) ?? base.ProgressAsync(context, ct);

    internal override string Where(string part) => file.Where(lines.GetValueOrDefault(part, 1));
}

/// <summary>What a YAML file says about a migration.</summary>
internal sealed record YamlDefinition
{
    public required string Name { get; init; }

    public required string Description { get; init; }

    public VersionWindow Versions { get; init; } = VersionWindow.Any;

    public IReadOnlyList<string> DependsOn { get; init; } = [];

    public IReadOnlyList<ServiceRequirement> Requires { get; init; } = [];

    public IReadOnlyList<Parameter> Parameters { get; init; } = [];

    public IReadOnlyList<MigrationCheck> Checks { get; init; } = [];

    public TimeSpan? HealthcheckInterval { get; init; }

    public Func<MigrationContext, CancellationToken, Task<Requirement>>? IsRequiredAsync { get; init; }

    public Func<MigrationContext, CancellationToken, Task<double?>>? ProgressAsync { get; init; }

    /// <summary>Each gives one operation, or as many as a query has rows.</summary>
    public IReadOnlyList<YamlOperation> Operations { get; init; } = [];
}
