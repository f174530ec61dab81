namespace WebApp;

/// <summary>A service of the application that a migration uses.</summary>
public sealed class Countries
{
    /// <summary>Countries by the beginning of a telephone number.</summary>
    public IReadOnlyList<(string Prefix, string Country)> All { get; } = [("+31", "NL"), ("+49", "DE"), ("+64", "NZ")];
}
