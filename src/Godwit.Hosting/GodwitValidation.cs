using Godwit.Migrations;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Godwit.Hosting;

/// <summary>
/// Looks at everything that its developer and its configuration say before the host starts, and loads the definitions. Asks no server: one that is away
/// must not keep the host from starting.
/// </summary>
internal sealed class GodwitValidation(IServiceProvider services) : IValidateOptions<GodwitOptions>
{
    private bool _isLoading;

    /// <summary>Where relative paths start.</summary>
    public static string Root(IServiceProvider services) => services.GetService<IHostEnvironment>()?.ContentRootPath ?? Environment.CurrentDirectory;

    public ValidateOptionsResult Validate(string? name, GodwitOptions options)
    {
        // Without this the constructor would ask for itself until the stack is used up.
        if (_isLoading)
        {
            throw new InvalidOperationException("its constructor asks for Migrator or for the options, which are there only after all migrations are made. Take IServiceProvider, and ask that for them later.");
        }

        List<string> problems = [.. options.Problems()];
        _isLoading = true;
        try
        {
            options.Definitions = options.Migrations.Load(Root(services), type => ActivatorUtilities.CreateInstance(services, type));
        }
        catch (DefinitionException e)
        {
            problems.AddRange(e.Problems.Select(p => p.ToString()));
        }
        finally
        {
            _isLoading = false;
        }

        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }
}
