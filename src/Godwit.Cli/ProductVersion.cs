namespace Godwit.Cli;

/// <summary>What <c>godwit --version</c> prints.</summary>
internal static class ProductVersion
{
    /// <summary>The version alone.</summary>
    public static string Number { get; } = typeof(ProductVersion).Assembly.GetName().Version?.ToString(3) ?? "0.0.0";

    /// <summary>The version with the name before it.</summary>
    public static string Text => $"godwit {Number}";
}
