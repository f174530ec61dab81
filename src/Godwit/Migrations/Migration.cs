using Godwit.Operations;

namespace Godwit.Migrations;

/// <summary>
/// A migration as its author writes it: what it is for, where and when it may run, and what it does. An instance of it is only asked;
/// what is going on is kept in runs.
/// </summary>
/// <example><code>
/// public sealed class AddCountry : Migration
/// {
///     public override string Name => "0007_add_country";
///     public override string Description => "Events get a country";
///
///     public override Task&lt;IReadOnlyList&lt;Operation&gt;&gt; PlanAsync(MigrationContext context, CancellationToken ct) => Operations(
///         new SqlOperation("ALTER TABLE app.events ADD COLUMN country String") { Undo = new(["ALTER TABLE app.events DROP COLUMN country"]) });
/// }
/// </code></example>
public abstract class Migration
{
    /// <summary>Whether a migration can be called so: letters, digits, _, - and ., at most 100, the first one no punctuation.</summary>
    public static bool IsName(string name) => MigrationProblems.IsName(name);

    /// <summary>Its name, by which people, dependencies and runs call it: letters, digits, <c>_</c>, <c>-</c> and <c>.</c>. It never changes.</summary>
    public abstract string Name { get; }

    /// <summary>What it is for, in a sentence or two for the people who run it.</summary>
    public abstract string Description { get; }

    /// <summary>The versions of the application in which it may run.</summary>
    public virtual VersionWindow Versions => VersionWindow.Any;

    /// <summary>The names of the migrations that must be done before.</summary>
    public virtual IReadOnlyList<string> DependsOn => [];

    /// <summary>What it needs of the servers.</summary>
    public virtual IReadOnlyList<ServiceRequirement> Requires => [];

    /// <summary>What a person may set when it is started.</summary>
    public virtual IReadOnlyList<Parameter> Parameters => [];

    /// <summary>Its checks, of all scopes.</summary>
    public virtual IReadOnlyList<MigrationCheck> Checks => [];

    /// <summary>The time between two healthchecks of a run.</summary>
    public virtual TimeSpan HealthcheckInterval => TimeSpan.FromSeconds(30);

    /// <summary>Whether this instance needs it: a fresh installation that has the new schema already does not.</summary>
    public virtual Task<Requirement> IsRequiredAsync(MigrationContext context, CancellationToken ct) =>
        Task.FromResult(new Requirement(true, "Every instance needs it."));

    /// <summary>
    /// What it does here, in order. Asked once, when a run is planned: the answer may depend on the instance (one operation for each
    /// partition, say) and is frozen in the plan.
    /// </summary>
    public abstract Task<IReadOnlyList<Operation>> PlanAsync(MigrationContext context, CancellationToken ct);

    /// <summary>The code that its <see cref="CodeOperation"/>s call, by name.</summary>
    public virtual IReadOnlyList<MigrationCode> Code => [];

    /// <summary>How far a run is, from 0 to 100, where its author knows better than its steps; null for the figures of the steps.</summary>
    public virtual Task<double?> ProgressAsync(MigrationContext context, CancellationToken ct) => Task.FromResult<double?>(null);

    /// <summary>Where a part of the definition stands, for messages: a file and a line, or a class.</summary>
    internal virtual string Where(string part) => $"{GetType().FullName} ({GetType().Assembly.GetName().Name})";

    /// <summary>Problems that its author has left in it and that show before it runs, each with its place.</summary>
    internal virtual IEnumerable<DefinitionProblem> Problems() => MigrationProblems.Of(this);

    /// <summary>Shorthand for the result of <see cref="PlanAsync"/>.</summary>
    protected static Task<IReadOnlyList<Operation>> Operations(params Operation[] operations) => Task.FromResult<IReadOnlyList<Operation>>(operations);
}
