namespace Godwit.Migrations;

/// <summary>Something that is wrong with a definition.</summary>
/// <param name="Where">A file and a line (<c>0007_country.yaml:12</c>), or a class.</param>
/// <param name="Message">What is wrong, and what would be right.</param>
public sealed record DefinitionProblem(string Where, string Message)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Where}: {Message}";
}

/// <summary>Definitions cannot be used. Lists all that is wrong with all of them, not only the first.</summary>
public sealed class DefinitionException(IReadOnlyList<DefinitionProblem> problems) : Exception(string.Join(Environment.NewLine, problems))
{
    /// <summary>All problems, in the order of their places.</summary>
    public IReadOnlyList<DefinitionProblem> Problems { get; } = problems;
}
