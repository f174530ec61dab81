using Godwit.Migrations;
using Godwit.Operations;
using Shouldly;
using Xunit;

namespace Godwit.Tests.Migrations;

/// <summary>Versions, parameters, and what definitions say about each other.</summary>
public sealed class DefinitionTests
{
    [Theory]
    [InlineData(">=21.8, <24", "21.8.1", true)]
    [InlineData(">=21.8, <24", "24.0.0", false)]
    [InlineData(">=21.8", "18.16.1", false)]
    [InlineData(">=26.7.2.1", "26.7.2.1", true)]
    [InlineData(">26.7.2", "26.7.2.1", true)]
    [InlineData("!=23.1", "23.1.0", false)]
    [InlineData("=1.2", "1.2.0", true)]
    [InlineData(">=1.43.0", "1.43.0-rc1", false)]
    [InlineData(">=13, <16", "15.8 (Debian 15.8-0+deb12u1)", true)]
    public void A_range_holds_a_version_when_all_its_comparisons_do(string range, string version, bool holds) =>
        VersionRange.Parse(range).Contains(version).ShouldBe(holds);

    [Theory]
    [InlineData("21.8")]
    [InlineData(">=")]
    [InlineData(">=a")]
    [InlineData("")]
    [InlineData(">=1,")]
    public void A_range_that_is_none_is_refused(string text) => Should.Throw<FormatException>(() => VersionRange.Parse(text)).Message.ShouldContain("comparisons such as");

    [Theory]
    [InlineData(ParameterType.Integer, "7", null)]
    [InlineData(ParameterType.Integer, "0", "p: the value 0 is below 1.")]
    [InlineData(ParameterType.Integer, "10", "p: the value 10 is above 9.")]
    [InlineData(ParameterType.Integer, "9223372036854775808", "p: '9223372036854775808' is not a whole number.")]
    [InlineData(ParameterType.Number, "1.5", null)]
    [InlineData(ParameterType.Number, "1,5", "p: '1,5' is not a number.")]
    [InlineData(ParameterType.Number, "9.01", "p: the value 9.01 is above 9.")]
    [InlineData(ParameterType.Text, "", "p: the length 0 is below 1.")]
    [InlineData(ParameterType.Text, "0123456789", "p: the length 10 is above 9.")]
    public void A_value_is_refused_outside_its_bounds(ParameterType type, string text, string? problem) =>
        new Parameter("p", type) { Min = "1", Max = "9" }.Read(text).Problem.ShouldBe(problem);

    [Theory]
    [InlineData(ParameterType.Boolean, "yes", "p: 'yes' is not true or false.")]
    [InlineData(ParameterType.Identifier, "", "p: '' is not a name.")]
    [InlineData(ParameterType.Timestamp, "tomorrow", "p: 'tomorrow' is not a moment such as 2026-01-31T12:00:00Z.")]
    public void A_value_of_another_type_is_refused(ParameterType type, string text, string problem) =>
        new Parameter("p", type).Read(text).Problem.ShouldBe(problem);

    [Fact]
    public void Everything_that_is_wrong_with_given_parameters_is_told_at_once()
    {
        Parameter[] parameters = [new("a", ParameterType.Integer), new("b", ParameterType.Text) { Choices = ["x", "y"] }, new("c", ParameterType.Text) { Help = "The country." }];

        var (values, problems) = ParameterValues.Read(parameters, new Dictionary<string, string> { ["a"] = "one", ["b"] = "z", ["d"] = "?" });

        values.ShouldBeNull();
        problems.ShouldBe(["There is no parameter d; there are a, b, c.", "a: 'one' is not a whole number.", "b: 'z' is not one of x, y.", "The parameter c must be set: The country."]);
    }

    [Fact]
    public void What_definitions_say_about_each_other_must_fit()
    {
        var wrong = Should.Throw<DefinitionException>(() => new MigrationSet(
        [
            new Named("a", "c"), new Named("b", "a"), new Named("c", "b"), new Named("d", "e", "a"), new Named("d"), new Named("f", "f"),
        ]));

        var where = typeof(Named).FullName + " (Godwit.Tests)";
        wrong.Problems.Select(p => p.ToString()).ShouldBe(
        [
            $"{where}: The name d is taken by {where}.",
            $"{where}: d depends on e, and there is no migration of that name.",
            $"{where}: These migrations wait for each other: a → c → b → a.",
            $"{where}: These migrations wait for each other: f → f.",
        ]);
    }

    [Fact]
    public void A_migration_comes_after_those_that_it_depends_on() =>
        new MigrationSet([new Named("a", "z"), new Named("b"), new Named("z", "y"), new Named("y")]).All.Select(m => m.Name).ShouldBe(["y", "z", "a", "b"]);

    [Fact]
    public void What_an_author_leaves_out_of_a_class_is_told()
    {
        var wrong = Should.Throw<DefinitionException>(() => new MigrationSet([new Careless()]));

        wrong.Problems.Select(p => p.Message).ShouldBe(
        [
            "The description is missing: say what the migration is for, to the people who run it.",
            "There are two parameters p.",
            "Nothing undoes the code c: add an undo, or say irreversible if there is no way back.",
        ]);
    }

    private sealed class Named(string name, params string[] dependsOn) : Migration
    {
        public override string Name => name;

        public override string Description => "For a test";

        public override IReadOnlyList<string> DependsOn => dependsOn;

        public override Task<IReadOnlyList<Operation>> PlanAsync(MigrationContext context, CancellationToken ct) => Operations();
    }

    private sealed class Careless : Migration
    {
        public override string Name => "careless";

        public override string Description => " ";

        public override IReadOnlyList<Parameter> Parameters => [new("p", ParameterType.Text), new("p", ParameterType.Integer)];

        public override IReadOnlyList<MigrationCode> Code => [new("c", (_, _) => Task.CompletedTask)];

        public override Task<IReadOnlyList<Operation>> PlanAsync(MigrationContext context, CancellationToken ct) => Operations();
    }
}
