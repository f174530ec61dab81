using Godwit.ClickHouse;

namespace Godwit.Server.Pages;

/// <summary>The addresses of a table's pages. A name may hold anything, so it stands in the query.</summary>
internal static class TableLink
{
    /// <summary>The page of a table.</summary>
    public static string To(QualifiedName table) => $"/table?name={Uri.EscapeDataString(table.ToString())}";

    /// <summary>The wizard that rebuilds it.</summary>
    public static string Rebuild(QualifiedName table, string? orderBy = null) =>
        $"/rebuild?name={Uri.EscapeDataString(table.ToString())}{(orderBy is null ? "" : $"&order-by={Uri.EscapeDataString(orderBy)}")}";

    /// <summary>The page that compares it with another one.</summary>
    public static string Compare(QualifiedName a, QualifiedName? b = null) =>
        $"/compare?a={Uri.EscapeDataString(a.ToString())}{(b is null ? "" : $"&b={Uri.EscapeDataString(b.ToString())}")}";

    /// <summary>The table of an address; null when it names none.</summary>
    public static QualifiedName? Read(string? name) => name is { Length: > 0 and < 1000 } && QualifiedName.TryParse(name, out var table, out _) ? table : null;
}
