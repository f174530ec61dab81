using System.Globalization;

namespace Godwit.Server.Pages;

/// <summary>Numbers in addresses and forms. The framework fails on those that are none; a page is to say so itself, or to do without.</summary>
internal static class PlainNumber
{
    /// <summary>Reads one; null for what is no number, or below 0.</summary>
    public static long? Read(string? text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
